using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Spectre.Console;
using Vizsla.Cli.Progress;
using Vizsla.Training.Callbacks;
using Vizsla.Training.Metrics;

namespace Vizsla.Cli.Tests.Progress;

public sealed class TrainingDisplayTests
{
    [Fact]
    public void Text_has_a_line_for_each_row()
    {
        using var run = new ConsoleRun();

        Play(TrainingDisplay.Create(run.Console));

        var lines = run.ErrorText.ReplaceLineEndings("\n").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("Training 4 steps over 2 epochs.", lines[0]);
        Assert.StartsWith("step 2/4  epoch 1.00  loss 1.2346  learning_rate 5e-5", lines[1], StringComparison.Ordinal);
        Assert.Equal("step 2/4  epoch 1.00  eval_loss 0.9000  eval_accuracy 0.5000  eval_runtime 1.0000", lines[2]);
        Assert.Equal("saved run/checkpoint-2", lines[3]);
        Assert.Empty(run.OutText);
    }

    [Fact]
    public void One_step_and_one_epoch_are_said_in_the_singular()
    {
        using var run = new ConsoleRun();
        using var display = TrainingDisplay.Create(run.Console);

        display.OnTrainBegin(new TrainerContext(new TrainingArguments(), new TrainerState { MaxSteps = 1, NumTrainEpochs = 1 }, new TrainerControl(), null!));

        Assert.Equal("Training 1 step over 1 epoch.", run.ErrorText.TrimEnd());
    }

    [Fact]
    public void Disable_tqdm_leaves_the_bar_out_at_a_terminal()
    {
        using var run = new ConsoleRun();
        var terminal = run.Console with { Interactive = true };

        using var bar = TrainingDisplay.Create(terminal);
        using var lines = TrainingDisplay.Create(terminal, noBar: true);

        Assert.IsType<Vizsla.Cli.Progress.LiveDisplay>(bar);
        Assert.IsType<TextDisplay>(lines);
    }

    [Fact]
    public void Json_has_an_object_a_line_on_standard_output()
    {
        using var run = new ConsoleRun();

        Play(TrainingDisplay.Create(run.Console, "json"));

        var lines = run.OutText.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!.AsObject()).ToArray();
        Assert.Equal(["train_begin", "log", "log", "save", "train_end"], lines.Select(line => line["event"]!.GetValue<string>()));
        Assert.Equal(0.5, lines[2]["values"]!["eval_accuracy"]!.GetValue<double>());
        Assert.Equal(2, lines[2]["step"]!.GetValue<int>());
        Assert.Empty(run.ErrorText);
    }

    [Fact]
    public void At_a_terminal_there_is_a_bar_and_under_it_the_table_of_evaluations()
    {
        using var text = new StringWriter();
        var terminal = Terminal(text);
        using var display = TrainingDisplay.Create(new CommandConsole(terminal, terminal, Interactive: true));

        Play(display);

        var last = text.ToString()[text.ToString().LastIndexOf("step ", StringComparison.Ordinal)..];
        Assert.Contains("4/4", last, StringComparison.Ordinal);
        Assert.Contains("loss 1.2346", last, StringComparison.Ordinal);
        Assert.Matches(@"Step +Training Loss +Validation Loss +Accuracy", last);
        Assert.Matches(@"2 +1\.2346 +0\.9000 +0\.5000", last);
    }

    [Fact]
    public void A_training_that_stops_early_gives_the_terminal_back()
    {
        using var text = new StringWriter();
        var terminal = Terminal(text);
        var display = TrainingDisplay.Create(new CommandConsole(terminal, terminal, Interactive: true));
        display.OnTrainBegin(Context(0));

        display.Dispose();
        display.Dispose();

        // The cursor is hidden while the bar is drawn, and shown again once.
        Assert.Single(Regex.Matches(text.ToString(), Regex.Escape("\e[?25l")));
        Assert.Single(Regex.Matches(text.ToString(), Regex.Escape("\e[?25h")));
    }

    [Fact]
    public void The_table_says_no_log_before_the_first_training_loss()
    {
        var table = new EvaluationTable();

        table.Add(new JsonObject { ["eval_loss"] = 2.0, ["step"] = 0 });

        Assert.Equal(["0", "No log", "2.0000"], table.Rows[0]);
    }

    private static IAnsiConsole Terminal(StringWriter text)
    {
        var terminal = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(text), Ansi = AnsiSupport.Yes, ColorSystem = ColorSystemSupport.NoColors, Interactive = InteractionSupport.Yes });
        terminal.Profile.Width = 160;
        terminal.Profile.Height = 40;
        return terminal;
    }

    private static void Play(TrainingDisplay display)
    {
        display.OnTrainBegin(Context(0));
        display.OnStepEnd(Context(1));
        display.OnStepEnd(Context(2));
        display.OnLog(Context(2), new JsonObject { ["loss"] = 1.23456, ["learning_rate"] = 5e-5, ["epoch"] = 1.0, ["step"] = 2 });
        display.OnPredictionStep(Context(2), 0, 1);
        display.OnLog(Context(2), new JsonObject { ["eval_loss"] = 0.9, ["eval_accuracy"] = 0.5, ["eval_runtime"] = 1.0, ["eval_samples_per_second"] = 3.0, ["epoch"] = 1.0, ["step"] = 2 });
        display.OnSave(Context(2), "run/checkpoint-2");
        display.OnTrainEnd(Context(4));
        display.Dispose();
    }

    private static TrainerContext Context(int step) =>
        new(new TrainingArguments(), new TrainerState { GlobalStep = step, MaxSteps = 4, NumTrainEpochs = 2, Epoch = step / 2.0 }, new TrainerControl(), Network: null!);
}
