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
    private double _secondsPerStep;
    private double _inSteps;

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
        var seconds = time.GetElapsedTime(_last, now).TotalSeconds;

        // The first step also warms up; it tells nothing of the others.
        if (_step == _firstStep)
        {
            _begin = now;
        }
        else if (seconds > 0)
        {
            var each = seconds / Math.Max(1, pictures);
            (_secondsPerPicture, _secondsPerStep) = _secondsPerPicture is { } mean
                ? (mean + (Newest * (each - mean)), _secondsPerStep + (Newest * (seconds - _secondsPerStep)))
                : (each, seconds);
            _inSteps += seconds;
        }

        (_step, _last) = (step, now);
    }

    /// <summary>Starts the time of the next step anew, after something that was no step.</summary>
    public void Skip() => _last = time.GetTimestamp();

    /// <summary>Time until the last step: the latest steps' own rate, since an unfrozen backbone makes them a thousand times as long, and what evaluations and saving took a step so far; null before the second step.</summary>
    /// <param name="maxSteps">Steps in all.</param>
    public TimeSpan? Left(int maxSteps)
    {
        if (_step <= _firstStep + 1)
        {
            return null;
        }

        var between = (time.GetElapsedTime(_begin).TotalSeconds - _inSteps) / (_step - _firstStep - 1);
        return TimeSpan.FromSeconds((_secondsPerStep + between) * (maxSteps - _step));
    }
}
