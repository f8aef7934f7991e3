using System.Globalization;
using System.Text.Json.Nodes;
using Spectre.Console;
using Spectre.Console.Rendering;
using Vizsla.Training.Callbacks;

namespace Vizsla.Cli.Progress;

/// <summary>A bar with step, epoch, loss, speed, time left and memory, and under it the table of evaluations, redrawn in place.</summary>
internal sealed class LiveDisplay(CommandConsole console, TimeProvider time) : TrainingDisplay
{
    private const int BarWidth = 28;
    private const int LinesAroundTable = 8;
    private static readonly TimeSpan BetweenDrawings = TimeSpan.FromSeconds(0.25);

    private readonly RunMeter _meter = new(time);
    private readonly EvaluationTable _table = new();
    private readonly ManualResetEventSlim _ended = new();
    private LiveDisplayContext? _live;
    private Thread? _thread;
    private string _loss = "-";
    private string _activity = "";
    private long _drawnAt;

    public override void OnTrainBegin(TrainerContext context)
    {
        _meter.Begin(context.State.GlobalStep);
        using var started = new ManualResetEventSlim();
        var first = Draw(context, _table.Rows.Count);

        // The library draws for as long as a delegate runs, and that is the training, which has begun already: so the delegate waits aside.
        _thread = new Thread(() => console.Error.Live(first).AutoClear(true).Overflow(VerticalOverflow.Crop).Cropping(VerticalOverflowCropping.Bottom).Start(live =>
        {
            _live = live;
            started.Set();
            _ended.Wait();
        }))
        { IsBackground = true, Name = "training display" };
        _thread.Start();
        started.Wait();
    }

    public override void OnStepEnd(TrainerContext context)
    {
        _meter.Step(context.State.GlobalStep, context.Rows.Count);
        Refresh(context, isUrgent: false);
    }

    public override void OnLog(TrainerContext context, JsonObject row)
    {
        _loss = EvaluationTable.Value(row, "loss") is { } loss ? EvaluationTable.Text(loss) : _loss;
        _activity = "";
        _table.Add(row);
        Refresh(context, isUrgent: true);
    }

    public override void OnPredictionStep(TrainerContext context, int batch, int batchCount)
    {
        _activity = $"evaluating {batch + 1}/{batchCount}";
        Refresh(context, isUrgent: false);
        _meter.Skip();
    }

    public override void OnSave(TrainerContext context, string folder) => _meter.Skip();

    public override void OnTrainEnd(TrainerContext context)
    {
        Dispose();
        console.Error.Write(Draw(context, _table.Rows.Count));
    }

    protected override void Dispose(bool disposing)
    {
        if (_thread is not null)
        {
            _ended.Set();
            _thread.Join();
            _thread = null;
            _live = null;
            _ended.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Refresh(TrainerContext context, bool isUrgent)
    {
        if (_live is { } live && (isUrgent || time.GetElapsedTime(_drawnAt) >= BetweenDrawings))
        {
            live.UpdateTarget(Draw(context, Math.Max(3, console.Error.Profile.Height - LinesAroundTable)));
            _drawnAt = time.GetTimestamp();
        }
    }

    private Rows Draw(TrainerContext context, int mostRows)
    {
        var parts = new List<IRenderable> { new Markup(Bar(context)) };
        if (_table.Rows.Count > 0)
        {
            var table = new Table().Border(TableBorder.Simple);
            foreach (var name in _table.Header)
            {
                table.AddColumn(new TableColumn(Markup.Escape(name)).RightAligned());
            }

            foreach (var row in _table.Rows.TakeLast(mostRows))
            {
                // A metric that came later leaves earlier rows short.
                table.AddRow([.. row.Concat(Enumerable.Repeat("", _table.Header.Count - row.Count)).Select(cell => new Text(cell))]);
            }

            parts.Add(table);
        }

        return new Rows(parts);
    }

    private string Bar(TrainerContext context)
    {
        var state = context.State;
        var share = state.MaxSteps == 0 ? 0 : (double)state.GlobalStep / state.MaxSteps;
        var filled = (int)Math.Round(share * BarWidth);
        var speed = _meter.PicturesPerSecond is { } rate ? rate.ToString("F1", CultureInfo.InvariantCulture) : "-";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"[green]{new string('━', filled)}[/][grey]{new string('─', BarWidth - filled)}[/] {share,4:P0}  step [bold]{state.GlobalStep}/{state.MaxSteps}[/]  epoch {state.Epoch:F2}/{state.NumTrainEpochs}  loss {_loss}  {speed} img/s  left {Duration(_meter.Left(state.MaxSteps))}  {Memory()}  [grey]{Markup.Escape(_activity)}[/]");
    }
}
