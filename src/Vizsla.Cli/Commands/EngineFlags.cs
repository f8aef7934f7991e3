using System.CommandLine;
using Vizsla.Export;
using Vizsla.Onnx;
using Vizsla.Studio;
using Vizsla.Studio.Predictions;

namespace Vizsla.Cli.Commands;

/// <summary>The options by which a verb that asks a model says what computes it.</summary>
internal sealed class EngineFlags
{
    private static readonly (string Word, InferenceEngine Engine)[] s_engines = [("auto", InferenceEngine.Auto), ("torch", InferenceEngine.Torch), ("onnx", InferenceEngine.Onnx)];

    private readonly Option<string> _engine;
    private readonly Option<string?> _type = new("--dtype") { Description = "With --engine onnx: which exported file, fp32 (model.onnx, the default), fp16 (model_fp16.onnx) or int8 (model_quantized.onnx)." };

    /// <param name="verb">The verb that gets the options.</param>
    /// <param name="auto">What <c>auto</c> does in this verb.</param>
    public EngineFlags(Command verb, string auto = "auto takes onnx/model.onnx where it lies beside the weights and is newer than them, and torch for what an exported file cannot do")
    {
        _engine = new("--engine") { Description = $"What computes the model: torch (the weights), onnx (a file of 'vizsla export', in ONNX Runtime) or auto; {auto}.", DefaultValueFactory = _ => "auto" };
        verb.Options.Add(_engine);
        verb.Options.Add(_type);
    }

    /// <summary>What was asked.</summary>
    /// <param name="arguments">The parsed command line.</param>
    /// <param name="networkOnly">Options that were given and that only the network itself can do.</param>
    /// <exception cref="UsageException">Another word, or words that do not go together.</exception>
    public (InferenceEngine Engine, OnnxPrecision Precision) Read(ParseResult arguments, params IEnumerable<string> networkOnly)
    {
        var engine = Choice.Parse("--engine", arguments.GetValue(_engine)!, s_engines);
        var precision = arguments.GetValue(_type) is { } word ? Choice.Parse("--dtype", word, ExportCommand.Precisions) : OnnxPrecision.Float32;
        var only = string.Join(" and ", networkOnly);
        return engine != InferenceEngine.Onnx && arguments.GetValue(_type) is not null
            ? throw new UsageException("--dtype names an exported file; add --engine onnx.")
            : engine == InferenceEngine.Onnx && only.Length > 0
                ? throw new UsageException($"--engine onnx computes an exported file, and {only} asks for the network itself; leave one of them out.")
                : (only.Length > 0 ? InferenceEngine.Torch : engine, precision);
    }

    /// <summary>Finds the exported file to compute, fetches it where it is named by a Hub, and says so where nobody chose it.</summary>
    /// <param name="engine">What <see cref="Read"/> gave.</param>
    /// <param name="console">Told in one line.</param>
    /// <param name="model">A folder, a file, or a name on a Hub.</param>
    /// <param name="revision">Branch, tag or commit of a name; null means <c>main</c>.</param>
    /// <param name="cancellationToken">Stops the transfer.</param>
    /// <returns>Its path; null computes the weights.</returns>
    public static async Task<string?> FindAsync(
        (InferenceEngine Engine, OnnxPrecision Precision) engine, CommandConsole console, string model, string? revision, CancellationToken cancellationToken)
    {
        var place = engine.Engine == InferenceEngine.Onnx
            ? await OnnxClassifier.FetchAsync(model, OnnxExport.FileName(engine.Precision), revision, token: null, hub: null, cancellationToken)
            : model;
        var choice = EngineChoice.Of(place, engine.Engine, engine.Precision);
        if (choice.Note is { } note)
        {
            console.Note(note);
        }

        return choice.OnnxFile;
    }
}
