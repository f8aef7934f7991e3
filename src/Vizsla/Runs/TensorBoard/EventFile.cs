using Vizsla.Export;

namespace Vizsla.Runs.TensorBoard;

/// <summary>Writes an event file that TensorBoard shows: scalars, texts and pictures by step.</summary>
/// <remarks>Source: <c>event.proto</c>, <c>summary.proto</c> of TensorBoard. Parity: the same bytes for the same events.</remarks>
internal sealed class EventFile : IDisposable
{
    private const string Version = "brain.Event:2";
    private const int StringType = 7;
    private const int Rgb = 3;
    private const int SessionStart = 1;

    private readonly Stream _stream;
    private readonly Func<double> _clock;

    /// <summary>Begins a file with its version.</summary>
    /// <param name="stream">Where to; disposed with this.</param>
    /// <param name="clock">Seconds since 1970.</param>
    public EventFile(Stream stream, Func<double> clock)
    {
        (_stream, _clock) = (stream, clock);
        RecordWriter.Write(stream, new ProtoWriter().Double(1, clock()).Text(3, Version).ToArray());
    }

    /// <summary>Begins a file of TensorBoard's naming in a folder.</summary>
    /// <param name="folder">The folder; made when it is not there.</param>
    /// <param name="time">Where times come from.</param>
    public static EventFile Create(string folder, TimeProvider time)
    {
        Directory.CreateDirectory(folder);
        double Now() => (time.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalSeconds;
        for (var number = 0; ; number++)
        {
            var path = Path.Combine(folder, $"events.out.tfevents.{(long)Now():D10}.{Environment.MachineName}.{Environment.ProcessId}.{number}");
            if (!File.Exists(path))
            {
                return new EventFile(new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite), Now);
            }
        }
    }

    /// <summary>Marks that what follows begins at a step: TensorBoard drops what earlier files say of that step and later ones.</summary>
    /// <param name="step">First step that is written again.</param>
    public void AddStart(long step) => Write(step, e => e.Message(7, new ProtoWriter().Integer(1, SessionStart)));

    /// <summary>Adds numbers of one step.</summary>
    /// <param name="step">Optimizer steps done.</param>
    /// <param name="values">Tag and value; the part of the tag before '/' names a group of charts.</param>
    public void AddScalars(long step, params IReadOnlyList<(string Tag, float Value)> values)
    {
        var summary = new ProtoWriter();
        foreach (var (tag, value) in values)
        {
            summary.Message(1, new ProtoWriter().Text(1, tag).Float(2, value));
        }

        AddSummary(step, summary);
    }

    /// <summary>Adds a text, which TensorBoard shows as Markdown.</summary>
    /// <param name="tag">Its tag.</param>
    /// <param name="text">Markdown.</param>
    /// <param name="step">Optimizer steps done.</param>
    public void AddText(string tag, string text, long step)
    {
        var tensor = new ProtoWriter().Integer(1, StringType).Text(8, text);
        var plugin = new ProtoWriter().Message(1, new ProtoWriter().Text(1, "text"));
        AddSummary(step, new ProtoWriter().Message(1, new ProtoWriter().Text(1, tag + "/text_summary").Message(8, tensor).Message(9, plugin)));
    }

    /// <summary>Adds a picture.</summary>
    /// <param name="tag">Its tag.</param>
    /// <param name="png">A PNG file, RGB.</param>
    /// <param name="width">Its width in pixels.</param>
    /// <param name="height">Its height in pixels.</param>
    /// <param name="step">Optimizer steps done.</param>
    public void AddImage(string tag, ReadOnlyMemory<byte> png, int width, int height, long step)
    {
        var image = new ProtoWriter().Integer(1, height).Integer(2, width).Integer(3, Rgb).Bytes(4, png);
        AddSummary(step, new ProtoWriter().Message(1, new ProtoWriter().Text(1, tag).Message(4, image)));
    }

    /// <summary>Ends the file.</summary>
    public void Dispose() => _stream.Dispose();

    private void AddSummary(long step, ProtoWriter summary) => Write(step, e => e.Message(5, summary));

    private void Write(long step, Action<ProtoWriter> content)
    {
        var message = new ProtoWriter().Double(1, _clock()).Integer(2, step);
        content(message);
        RecordWriter.Write(_stream, message.ToArray());
        _stream.Flush();
    }
}
