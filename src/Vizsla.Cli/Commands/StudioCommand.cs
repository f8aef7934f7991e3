using System.CommandLine;
using System.Diagnostics;
using Vizsla.Cli.Jobs;
using Vizsla.Studio;
using Vizsla.Studio.Trainings;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla studio</c>: the pages.</summary>
internal sealed class StudioCommand : Verb
{
    private readonly Option<string?> _runs;
    private readonly Option<string[]> _models;
    private readonly Option<string?> _baseModel;
    private readonly Option<string?> _dataset;
    private readonly Option<bool> _open;
    private readonly EngineFlags _engine;
    private readonly ServerOptions _server;

    public StudioCommand()
        : base("studio", "Open the web pages: transforms on a picture, predictions, runs to watch, datasets.",
            "vizsla studio --runs runs --open",
            "vizsla studio --model runs/pets --dataset photos")
    {
        _runs = AddOption<string>("--runs", "Folder whose sub-folders are runs, or one run.");
        _models = AddOption("--model", "Run folder, timm folder or Hub name in the cache; repeatable.", Array.Empty<string>());
        _baseModel = AddOption<string>("--base_model", ModelFetch.BaseModelHelp);
        _dataset = AddOption<string>("--dataset", "Dataset folder to browse.");
        _open = AddOption<bool>("--open", "Open the browser.");
        _engine = new EngineFlags(this, "auto is torch, since the pages show where a model looked, which an exported file cannot tell");
        _server = new ServerOptions(this, new StudioOptions().Host.Port);
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var engine = _engine.Read(arguments);
        var options = new StudioOptions
        {
            Engine = engine.Engine,
            Precision = engine.Precision,
            Runs = arguments.GetValue(_runs),
            Models = arguments.GetValue(_models)!,
            BaseModel = arguments.GetValue(_baseModel),
            Dataset = arguments.GetValue(_dataset),
            Training = new TrainingProgram(CommandLine.Itself(), Recipes.Names.ToDictionary(name => name, Recipes.Find), [.. new TrainCommand().Options.Select(o => o.Name.TrimStart('-'))]),
        };
        _server.Apply(arguments, options.Host);
        _server.Apply(arguments, options.Serving);
        await ServerOptions.RunAsync(() => StudioApplication.Create(options), (_, address) =>
        {
            console.WriteLine($"Vizsla Studio is at {address}");
            if (arguments.GetValue(_open))
            {
                using var browser = Process.Start(new ProcessStartInfo(address) { UseShellExecute = true });
            }

            return Task.CompletedTask;
        }, cancellationToken);
        return 0;
    }
}
