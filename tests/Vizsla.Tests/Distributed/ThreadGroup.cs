using Vizsla.Distributed;

namespace Vizsla.Tests.Distributed;

/// <summary>A group whose processes are threads of this one: what several ranks do together, without a launcher.</summary>
internal sealed class ThreadGroup : ProcessGroup
{
    private readonly Meeting _meeting;

    private ThreadGroup(int rank, Meeting meeting) => (Rank, _meeting) = (rank, meeting);

    public override int Rank { get; }

    public override int Size => _meeting.Handed.Length;

    public override int LocalRank => Rank;

    /// <summary>Runs the same on each rank, each on a thread of its own, and gives what each returned.</summary>
    /// <exception cref="AggregateException">Some ranks threw; the others were told so and gave up.</exception>
    public static IReadOnlyList<T> Run<T>(int size, Func<ProcessGroup, T> act)
    {
        var meeting = new Meeting(size);
        var (results, failures) = (new T[size], new Exception?[size]);
        var threads = Enumerable.Range(0, size).Select(rank => new Thread(() =>
        {
            // libtorch keeps its number of threads by thread.
            TorchSharp.torch.set_num_threads(1);
            try
            {
                results[rank] = act(new ThreadGroup(rank, meeting));
            }
            catch (Exception e)
            {
                failures[rank] = e;
                meeting.GiveUp.Cancel();
            }
        })).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        var thrown = failures.Where(e => e is not null and not OperationCanceledException || e is TrainingStoppedException).OfType<Exception>().ToList();
        return thrown.Count == 0 ? results : throw new AggregateException(thrown);
    }

    public override void AllReduce(Span<float> values)
    {
        var all = Meet(values.ToArray());
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = all.Sum(of => ((float[])of)[i]);
        }
    }

    public override void Broadcast(Span<byte> values, int root = 0) => ((byte[])Meet(values.ToArray())[root]).CopyTo(values);

    public override IReadOnlyList<byte[]> AllGather(ReadOnlySpan<byte> values) => [.. Meet(values.ToArray()).Select(of => (byte[])((byte[])of).Clone())];

    public override void Barrier() => Meet(Array.Empty<byte>());

    public override void Abort(string reason) => _meeting.GiveUp.Cancel();

    private object[] Meet(Array own)
    {
        _meeting.Handed[Rank] = own;
        _meeting.Barrier.SignalAndWait(_meeting.GiveUp.Token);
        object[] all = [.. _meeting.Handed];
        _meeting.Barrier.SignalAndWait(_meeting.GiveUp.Token);
        return all;
    }

    private sealed class Meeting(int size)
    {
        public Array[] Handed { get; } = new Array[size];

        public System.Threading.Barrier Barrier { get; } = new(size);

        public CancellationTokenSource GiveUp { get; } = new();
    }
}
