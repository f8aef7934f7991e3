using System.Diagnostics.Metrics;

namespace Vizsla.Serving.Queues;

/// <summary>What <c>/metrics</c> tells of the models.</summary>
internal sealed class ServingMetrics : IDisposable
{
    /// <summary>The meter's name, for those who collect it themselves.</summary>
    public const string MeterName = "Vizsla.Serving";

    private static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    };

    private readonly Meter _meter;
    private readonly Counter<long> _pictures;
    private readonly Counter<long> _refused;
    private readonly Histogram<int> _batchSizes;
    private readonly Histogram<double> _forward;
    private readonly Histogram<double> _answers;

    public ServingMetrics(IMeterFactory factory)
    {
        _meter = factory.Create(MeterName);
        _pictures = _meter.CreateCounter<long>("vizsla.pictures", "{picture}", "Pictures that went through a model.");
        _refused = _meter.CreateCounter<long>("vizsla.refused", "{picture}", "Pictures refused because too many were waiting.");
        _batchSizes = _meter.CreateHistogram("vizsla.batch.size", "{picture}", "Pictures in one forward pass.", advice: new InstrumentAdvice<int>
        {
            HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128],
        });
        _forward = _meter.CreateHistogram("vizsla.forward.duration", "s", "Time of one forward pass.", advice: Seconds);
        _answers = _meter.CreateHistogram("vizsla.answer.duration", "s", "Time from a picture's arrival to its answer.", advice: Seconds);
    }

    /// <summary>Shows how many pictures wait at each model, looked up whenever somebody asks.</summary>
    public void Watch(Func<IEnumerable<(string Model, int Waiting)>> queues) =>
        _meter.CreateObservableGauge(
            "vizsla.queue.length", () => queues().Select(q => new Measurement<int>(q.Waiting, Tag(q.Model))), "{picture}", "Pictures that wait or are being worked on.");

    public void Refused(string model) => _refused.Add(1, Tag(model));

    public void Batch(string model, int pictures, TimeSpan elapsed)
    {
        _pictures.Add(pictures, Tag(model));
        _batchSizes.Record(pictures, Tag(model));
        _forward.Record(elapsed.TotalSeconds, Tag(model));
    }

    public void Answered(string model, TimeSpan elapsed) => _answers.Record(elapsed.TotalSeconds, Tag(model));

    public void Dispose() => _meter.Dispose();

    private static KeyValuePair<string, object?> Tag(string model) => new("model", model);
}
