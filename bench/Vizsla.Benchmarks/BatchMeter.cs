using System.Diagnostics.Metrics;

namespace Vizsla.Benchmarks;

/// <summary>Adds up what a service tells of its batches.</summary>
internal sealed class BatchMeter : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly Lock _lock = new();
    private long _batches;
    private long _pictures;
    private double _seconds;

    public BatchMeter()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name is "vizsla.batch.size" or "vizsla.forward.duration")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<int>((_, size, _, _) =>
        {
            lock (_lock)
            {
                _batches++;
                _pictures += size;
            }
        });
        _listener.SetMeasurementEventCallback<double>((_, seconds, _, _) =>
        {
            lock (_lock)
            {
                _seconds += seconds;
            }
        });
        _listener.Start();
    }

    /// <summary>Pictures of a batch, on average.</summary>
    public double MeanSize => _batches == 0 ? 0 : (double)_pictures / _batches;

    /// <summary>Seconds in the model.</summary>
    public double Seconds => _seconds;

    public void Dispose() => _listener.Dispose();
}
