namespace Vizsla.Serving;

/// <summary>How a model answers over HTTP: batches, waiting room, limits on what is sent.</summary>
public sealed class ServingOptions
{
    /// <summary>Most pictures in one forward pass, at least 1. Default: 32. Option: <c>--max_batch</c>.</summary>
    public int MaxBatch { get; set; } = 32;

    /// <summary>How long the first picture of a batch waits for others. Default: 5 ms. Option: <c>--max_delay_ms</c>.</summary>
    public TimeSpan MaxDelay { get; set; } = TimeSpan.FromMilliseconds(5);

    /// <summary>Most pictures that wait; further ones are answered with 429 and <c>Retry-After</c>. Default: 256. Option: <c>--max_queue</c>.</summary>
    public int MaxQueue { get; set; } = 256;

    /// <summary>Most bytes of one picture as it is sent. Default: 20 MiB.</summary>
    public long MaxPictureBytes { get; set; } = 20 << 20;

    /// <summary>Most pixels of one picture, looked up in its header before it is decoded. Default: 50 million.</summary>
    public long MaxPicturePixels { get; set; } = 50_000_000;

    /// <summary>Most pictures in one request of many. Default: 64.</summary>
    public int MaxPicturesPerRequest { get; set; } = 64;

    /// <summary>Most bytes of one request with many pictures. Default: 128 MiB.</summary>
    public long MaxRequestBytes { get; set; } = 128 << 20;

    /// <summary>
    /// Most pixels that are being decoded at a time, over all requests; further pictures wait. Default: as many as take an eighth of the memory that
    /// this process may use, at 16 bytes each, and never fewer than one picture of <see cref="MaxPicturePixels"/>.
    /// </summary>
    public long? MaxDecodingPixels { get; set; }

    /// <summary>How long a picture waits for others to be decoded before it is answered with 503. Default: 20 s.</summary>
    public TimeSpan MaxDecodingWait { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>How long a stopping server finishes what it took. Default: 30 s.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Folder that keeps the pictures which a model was least sure of, as they were sent, to be labelled; null, the default, keeps none. Each model has a folder of its own in it.
    /// Tell those who send pictures. Option: <c>--keep_uncertain</c>.
    /// </summary>
    public string? KeepUncertain { get; set; }

    /// <summary>Most pictures of a model in <see cref="KeepUncertain"/>, at least 1: a less certain one takes the place of the most certain. Default: 500. Option: <c>--max_uncertain</c>.</summary>
    public int MaxUncertain { get; set; } = 500;

    /// <summary>Every problem of these values in one exception.</summary>
    /// <exception cref="ArgumentException">A value is out of its range; the message lists all of them.</exception>
    internal void Validate()
    {
        List<string> problems = [];
        Check(MaxBatch >= 1, Invariant($"max_batch must be at least 1, got {MaxBatch}"));
        Check(MaxDelay >= TimeSpan.Zero && MaxDelay <= TimeSpan.FromSeconds(10), Invariant($"max_delay_ms must be from 0 to 10000, got {MaxDelay.TotalMilliseconds}"));
        Check(MaxQueue >= 1, Invariant($"max_queue must be at least 1, got {MaxQueue}"));
        Check(MaxPictureBytes >= 1, Invariant($"the limit on a picture's bytes must be at least 1, got {MaxPictureBytes}"));
        Check(MaxPicturePixels >= 1, Invariant($"the limit on a picture's pixels must be at least 1, got {MaxPicturePixels}"));
        Check(MaxPicturesPerRequest >= 1, Invariant($"the limit on pictures in a request must be at least 1, got {MaxPicturesPerRequest}"));
        Check(MaxRequestBytes >= 1, Invariant($"the limit on a request's bytes must be at least 1, got {MaxRequestBytes}"));
        Check(MaxDecodingPixels is null or >= 1, Invariant($"the limit on pixels being decoded must be at least 1, got {MaxDecodingPixels}"));
        Check(MaxUncertain >= 1, Invariant($"max_uncertain must be at least 1, got {MaxUncertain}"));
        Check(MaxDecodingWait > TimeSpan.Zero, Invariant($"the wait for decoding must be above 0, got {MaxDecodingWait}"));
        if (problems.Count > 0)
        {
            throw new ArgumentException($"Invalid serving options: {string.Join("; ", problems)}.");
        }

        void Check(bool holds, string problem)
        {
            if (!holds)
            {
                problems.Add(problem);
            }
        }
    }
}
