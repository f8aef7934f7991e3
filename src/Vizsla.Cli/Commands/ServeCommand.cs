using System.CommandLine;
using Vizsla.Studio;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla serve</c>: a model as a service.</summary>
internal sealed class ServeCommand : Verb
{
    private readonly Option<string> _model;
    private readonly Option<string?> _name;
    private readonly Option<string?> _labels;
    private readonly Option<string?> _augmentation;
    private readonly ServerOptions _server;

    public ServeCommand()
        : base("serve", "Serve a model over HTTP as Hugging Face's inference endpoints do.",
            "vizsla serve --model runs/pets",
            "vizsla serve --model runs/pets --name pets --host 0.0.0.0 --token SECRET")
    {
        _model = AddRequired<string>("--model", "Run folder, timm folder or Hub name in the cache.");
        _name = AddOption<string>("--name", "The model's name in the address; the folder's, if none is given.");
        _labels = AddOption<string>("--labels", "JSON file with the class names in order, for a model that does not know them.");
        _augmentation = AddOption<string>("--tta", PredictCommand.AugmentationHelp);
        _server = new ServerOptions(this, port: 8080);
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var model = arguments.GetValue(_model)!;
        var augmentation = PredictCommand.Augmentation(arguments.GetValue(_augmentation));
        await ModelFetch.EnsureAsync(console, model, revision: null, cancellationToken);
        var name = arguments.GetValue(_name) ?? ServeApplication.NameOf(model);
        var host = new HostOptions();
        var serving = new ServingOptions();
        _server.Apply(arguments, host);
        _server.Apply(arguments, serving);
        await ServerOptions.RunAsync(
            () => ServeApplication.Create([new ServedModel(name, model, arguments.GetValue(_labels), augmentation)], host, serving),
            async (application, address) =>
            {
                await ServeApplication.WaitUntilReadyAsync(application, cancellationToken);
                console.WriteLine($"Serving '{name}' at {address}/models/{name}");
            },
            cancellationToken);
        return 0;
    }
}
