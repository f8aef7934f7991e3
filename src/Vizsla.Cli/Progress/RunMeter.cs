namespace Vizsla.Cli.Progress;

/// <summary>How fast a run goes and how long it will take, from the times at which its steps ended.</summary>
/// <param name="time">The clock.</param>
internal sealed class RunMeter(TimeProvider time)
{
    // Weight of the newest step in the rate: about the last ten steps count.
    private const double Newest = 0.1;

    private long _begin;
    private long _last;
    private int _firstStep;
    private int _step;
    private double? _secondsPerPicture;

    /// <summary>Pictures a second in training, evaluations not counted; null before the second step.</summary>
    public double? PicturesPerSecond => 1 / _secondsPerPicture;

    /// <summary>Begins at a step.</summary>
    public void Begin(int step)
    {
        (_firstStep, _step) = (step, step);
        (_begin, _last) = (time.GetTimestamp(), time.GetTimestamp());
    }

    /// <summary>Counts a step that ended.</summary>
    /// <param name="step">Steps done.</param>
    /// <param name="pictures">Its pictures.</param>
    public void Step(int step, int pictures)
    {
        var now = time.GetTimestamp();
        var seconds = time.GetElapsedTime(_last, now).TotalSeconds / Math.Max(1, pictures);

        // The first step also warms up; it tells nothing of the others.
        if (_step > _firstStep && seconds > 0)
        {
            _secondsPerPicture = _secondsPerPicture is { } mean ? mean + (Newest * (seconds - mean)) : seconds;
        }

        if (_step == _firstStep)
        {
            _begin = now;
        }

        (_step, _last) = (step, now);
    }

    /// <summary>Starts the time of the next step anew, after something that was no step.</summary>
    public void Skip() => _last = time.GetTimestamp();

    /// <summary>Time until the last step, evaluations so far counted; null before the second step.</summary>
    /// <param name="maxSteps">Steps in all.</param>
    public TimeSpan? Left(int maxSteps) =>
        _step <= _firstStep + 1 ? null : time.GetElapsedTime(_begin) * ((double)(maxSteps - _step) / (_step - _firstStep - 1));
}
