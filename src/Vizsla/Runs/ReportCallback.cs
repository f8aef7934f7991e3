using Vizsla.Native;
using Vizsla.Runs.Cards;
using Vizsla.Runs.Charts;
using Vizsla.Training.Callbacks;
using Vizsla.Training.Checkpoints;
using Vizsla.Training.Metrics;

namespace Vizsla.Runs;

/// <summary>Draws the first batch, the plots of a run after evaluations, at most twice a minute, and at its end, where it writes the model card too.</summary>
/// <param name="model">The model in training.</param>
/// <param name="train">The training split.</param>
/// <param name="evaluation">The evaluation split; null without one.</param>
/// <param name="device">Where it computes.</param>
/// <param name="precision">Precision of the forward passes.</param>
/// <param name="repository">The repository that the run is pushed to, once it is known; null where it is not pushed.</param>
/// <param name="time">Where times come from; null is the system's clock.</param>
internal sealed class ReportCallback(
    ImageClassifier model, ImageDataset? train, ImageDataset? evaluation, string device, string precision, Func<string?>? repository = null, TimeProvider? time = null) : TrainerCallback
{
    private static readonly TimeSpan BetweenPlots = TimeSpan.FromSeconds(30);

    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private long _drawnAt = (time ?? TimeProvider.System).GetTimestamp();
    private (int Step, EvalPrediction Prediction)? _last;
    private (int Step, EvalPrediction Prediction)? _best;
    private EvalPrediction? _kept;
    private IReadOnlyDictionary<string, double>? _test;
    private bool _hasBatch;
    private bool _hasEnded;

    public override void OnTrainBegin(TrainerContext context)
    {
        _hasBatch = train is null || context.State.GlobalStep > 0;
        (_hasEnded, _last, _best, _test) = (false, null, null, null);
    }


    public override void OnPreOptimizerStep(TrainerContext context)
    {
        if (!_hasBatch && PictureGrid.OfBatch(context, train!) is { } sheet)
        {
            _hasBatch = true;
            using (sheet)
            {
                RunPlots.Save(context.OutputDir, RunPlots.FirstBatch, sheet);
            }
        }
    }

    public override void OnEvaluate(TrainerContext context, IReadOnlyDictionary<string, double> metrics)
    {
        if (context.LastPrediction is { IsLabelled: false })
        {
            return;
        }

        KeepBest(context);
        if (_hasEnded)
        {
            // Whatever is evaluated then are the weights that were kept.
            Write(context, context.LastPrediction);
        }
        else if (context.LastPrediction is { } prediction)
        {
            _last = (context.State.GlobalStep, prediction);
            if (_time.GetElapsedTime(_drawnAt) >= BetweenPlots)
            {
                RunPlots.Write(context.OutputDir, context.State, prediction);
                _drawnAt = _time.GetTimestamp();
            }
        }
    }

    public override void OnPredict(TrainerContext context, IReadOnlyDictionary<string, double> metrics)
    {
        if (_hasEnded)
        {
            _test = metrics;
            Write(context, _kept);
        }
    }

    public override void OnTrainEnd(TrainerContext context)
    {
        KeepBest(context);
        _hasEnded = true;
        Write(context, Kept(context));
    }

    private void Write(TrainerContext context, EvalPrediction? prediction)
    {
        _kept = prediction;
        RunPlots.Write(context.OutputDir, context.State, prediction);
        DurableFile.WriteText(Path.Combine(context.OutputDir, ModelCard.FileName), ModelCard.Write(Facts(context, prediction)));
    }

    // Which evaluation is the best is settled after its callbacks, so the last one is looked at when the next event comes.
    private void KeepBest(TrainerContext context)
    {
        if (_last is { } last && last.Step == context.State.BestGlobalStep)
        {
            _best = last;
        }
    }

    /// <summary>The evaluation of the weights that were kept; null where it ran before this process.</summary>
    private EvalPrediction? Kept(TrainerContext context) =>
        context.Arguments.LoadBestModelAtEnd && context.State.BestGlobalStep is { } step
            ? _best is { } best && best.Step == step ? best.Prediction : null
            : _last?.Prediction;

    private CardFacts Facts(TrainerContext context, EvalPrediction? prediction) => new()
    {
        Name = context.Arguments.RunName ?? context.Arguments.HubRepository.Split('/')[^1],
        Repository = repository?.Invoke(),
        BaseModel = model.BaseModel,
        Adapter = model.Adapter,
        BaseFolder = model.LoadReport is { } report ? Path.GetFileName(Path.TrimEndingDirectorySeparator(report.Source)) : null,
        TestMetrics = _test ?? new Dictionary<string, double>(),
        ClassName = model.Network.ClassName,
        ParameterCount = model.Network.parameters().Sum(p => p.numel()),
        ImageSize = train?.Transform?.OutputSize is { } size ? (size.Height, size.Width) : null,
        Labels = model.Labels,
        Arguments = context.Arguments,
        State = context.State,
        Splits =
        [
            .. train is null ? Array.Empty<CardSplit>() : [CardSplit.Of("Training", train)],
            .. evaluation is null ? Array.Empty<CardSplit>() : [CardSplit.Of("Evaluation", evaluation)],
        ],
        Transform = train?.Transform?.ToString(),
        Prediction = prediction,
        Convolutions = Native.Convolutions.Name(Native.Convolutions.Way),
        Machine = Machine.Read(),
        Device = device,
        Precision = precision,
    };
}
