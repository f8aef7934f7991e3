using System.CommandLine;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla merge</c>: an adapter written into its base model.</summary>
internal sealed class MergeCommand : Verb
{
    private readonly Argument<string> _adapter;
    private readonly Option<string> _output;
    private readonly Option<string?> _baseModel;
    private readonly Option<string?> _revision;

    public MergeCommand()
        : base("merge", "Write an adapter into the weights of its base model: a whole model, computed in float32, that needs no adapter any more.",
            "vizsla merge runs/pets-lora --output pets",
            "vizsla merge user/pets-lora --output pets --base_model google/vit-base-patch16-224")
    {
        _adapter = AddArgument<string>("adapter", "Folder or Hub name of the adapter.", ArgumentArity.ExactlyOne);
        _output = AddRequired<string>("--output", "Folder that receives config.json, model.safetensors and preprocessing.");
        _baseModel = AddOption<string>("--base_model", ModelFetch.BaseModelHelp);
        _revision = AddOption<string>("--model_revision", "Branch, tag or commit of an adapter on the Hub. Default: main.", aliases: ["--revision"]);
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var (adapter, output, baseModel, revision) = (arguments.GetValue(_adapter)!, arguments.GetValue(_output)!, arguments.GetValue(_baseModel), arguments.GetValue(_revision));
        if (Path.GetFullPath(adapter) == Path.GetFullPath(output))
        {
            throw new UsageException($"--output is the adapter's own folder, '{adapter}'; give another one, so that the adapter stays.");
        }

        await ModelFetch.EnsureAsync(console, adapter, revision, cancellationToken, baseModel);
        using var model = ImageClassifier.FromPretrained(adapter, revision: revision, baseModel: baseModel);
        if (model.Adapter is null)
        {
            throw new UsageException($"'{adapter}' is a whole model; there is nothing to merge.");
        }

        model.MergeAdapter();
        model.Save(output);
        console.WriteLine($"The merged model is in '{output}'.");
        return 0;
    }
}
