using System.CommandLine;
using Vizsla.Serving;
using Vizsla.Studio;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla serve</c>: a model as a service.</summary>
internal sealed class ServeCommand : Verb
{
    private readonly Option<string[]> _models;
    private readonly Option<string[]> _adapters;
    private readonly Option<string?> _baseModel;
    private readonly Option<string[]> _names;
    private readonly Option<string?> _labels;
    private readonly Option<string?> _augmentation;
    private readonly EngineFlags _engine;
    private readonly Option<string?> _keepUncertain;
    private readonly Option<int> _maxUncertain;
    private readonly ServerOptions _server;

    public ServeCommand()
        : base("serve", "Serve a model over HTTP as Hugging Face's inference endpoints do.",
            "vizsla serve --model runs/pets",
            "vizsla serve --model runs/pets --model runs/birds",
            "vizsla serve --adapter pets=runs/pets-lora --adapter birds=runs/birds-lora",
            "vizsla serve --model runs/pets --keep_uncertain unsure",
            "vizsla serve --model runs/pets --engine onnx --dtype int8",
            "vizsla serve --model runs/pets --name pets --host 0.0.0.0 --token_file secret.txt")
    {
        _models = AddOption("--model", "Run folder, timm folder or Hub name in the cache; repeatable.", Array.Empty<string>());
        _adapters = AddOption("--adapter", "NAME=FOLDER: an adapter, or its Hub name, under a name of its own; repeatable. Adapters of one base model share its memory.", Array.Empty<string>());
        _baseModel = AddOption<string>("--base_model", ModelFetch.BaseModelHelp);
        _names = AddOption("--name", "The model's name in the address; the folder's, if none is given; once for each --model, in their order.", Array.Empty<string>());
        _labels = AddOption<string>("--labels", "JSON file with the class names in order, for a model that does not know them.");
        _augmentation = AddOption<string>("--tta", PredictCommand.AugmentationHelp);
        _engine = new EngineFlags(this);
        _keepUncertain = AddOption<string>("--keep_uncertain", "Folder to keep the photos that a model was least sure of, as they were sent, for 'vizsla label'; off by default. Tell those who send them.");
        _maxUncertain = AddOption("--max_uncertain", "Most of them for each model; a less certain photo takes the place of the most certain one.", new ServingOptions().MaxUncertain);
        _server = new ServerOptions(this, port: 8080);
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var models = arguments.GetValue(_models)!;
        var names = arguments.GetValue(_names)!;
        var augmentation = PredictCommand.Augmentation(arguments.GetValue(_augmentation));
        var labels = arguments.GetValue(_labels);
        var baseModel = arguments.GetValue(_baseModel);
        var adapters = arguments.GetValue(_adapters)!.Select(Named).ToList();
        if (models.Length + adapters.Count == 0)
        {
            throw new UsageException("Option '--model' is required, or '--adapter'.");
        }

        if (names.Length > 0 && names.Length != models.Length)
        {
            throw new UsageException($"--name was given {names.Length} times for {models.Length} models; give it once for each, or not at all.");
        }

        if (labels is not null && models.Length + adapters.Count > 1)
        {
            throw new UsageException("--labels goes with one --model; save the class names into the models' folders instead.");
        }

        (bool Given, string Option)[] networkOnly = [(augmentation is not null, "--tta"), (baseModel is not null, "--base_model")];
        var engine = _engine.Read(arguments, networkOnly.Where(o => o.Given).Select(o => o.Option));
        foreach (var model in models.Concat(adapters.Select(a => a.Place)))
        {
            if (await EngineFlags.FindAsync(engine, console, model, revision: null, cancellationToken) is null)
            {
                await ModelFetch.EnsureAsync(console, model, revision: null, cancellationToken, baseModel);
            }
        }

        var served = models.Select((model, i) => (Name: names.Length > 0 ? names[i] : ServeApplication.NameOf(model), Place: model)).Concat(adapters)
            .Select(m => new ServedModel(m.Name, m.Place, labels, augmentation) { BaseModel = baseModel, Engine = engine.Engine, Precision = engine.Precision }).ToList();
        var host = new HostOptions();
        var serving = new ServingOptions { KeepUncertain = arguments.GetValue(_keepUncertain), MaxUncertain = arguments.GetValue(_maxUncertain) };
        _server.Apply(arguments, host);
        _server.Apply(arguments, serving);
        await ServerOptions.RunAsync(
            () => ServeApplication.Create(served, host, serving),
            async (application, address) =>
            {
                await ServeApplication.WaitUntilReadyAsync(application, cancellationToken);
                foreach (var model in served)
                {
                    console.WriteLine($"Serving '{model.Name}' at {address}/models/{model.Name}");
                }
            },
            cancellationToken);
        return 0;
    }

    private static (string Name, string Place) Named(string text) => text.IndexOf('=', StringComparison.Ordinal) is > 0 and var at && at < text.Length - 1
        ? (text[..at], text[(at + 1)..])
        : throw new UsageException($"--adapter takes a name and a folder such as pets=runs/pets-lora, got '{text}'.");
}
