using Vizsla.Imaging;
using Vizsla.Models.Layers;
using static TorchSharp.torch;

namespace Vizsla.Models;

/// <summary>How large a model is: its layers, what they make of one picture, their parameters and multiplications.</summary>
/// <param name="ClassName">The class in Python, or timm's name.</param>
/// <param name="InputShape">Channels, height and width of the picture.</param>
/// <param name="ClassCount">Number of classes.</param>
/// <param name="Layers">Every layer with parameters in the order of the weight file, and what attention multiplies.</param>
/// <remarks>
/// Counted are the multiplications of convolutions, linear layers and attention, as fvcore counts them; norms, activations and poolings are not.
/// A multiplication and an addition are two floating point operations.
/// </remarks>
public sealed record ModelSummary(string ClassName, IReadOnlyList<long> InputShape, int ClassCount, IReadOnlyList<LayerSummary> Layers)
{
    // Any picture: only the size that preprocessing brings it to is of interest.
    private const int ProbeSide = 64;

    // A kernel's: the first one works on the picture itself.
    private const int PlaneAxes = 4;

    /// <summary>Number of parameters; buffers such as running means do not count.</summary>
    public long ParameterCount => Layers.Sum(l => l.ParameterCount);

    /// <summary>Multiplications for one picture.</summary>
    public long ProductCount => Layers.Sum(l => l.ProductCount);

    /// <summary>Measures a network by sending shapes through it; the weights are neither read nor changed.</summary>
    /// <param name="network">The network; computes in evaluation mode meanwhile, and is left in the mode that it was in.</param>
    /// <param name="height">Height of the pictures in pixels.</param>
    /// <param name="width">Width of the pictures in pixels.</param>
    /// <exception cref="ArgumentException">The network cannot take pictures of this size.</exception>
    public static ModelSummary Of(ClassificationNetwork network, int height, int width)
    {
        ArgumentNullException.ThrowIfNull(network);
        var layers = ModuleTree.Layers(network).ToList();
        var channels = network.parameters().First(p => p.dim() == PlaneAxes).shape[1];
        using var meter = new LayerMeter();
        using var alone = EvaluationScope.Enter(network);
        using var mode = no_grad();
        using var scope = NewDisposeScope();
        using var trace = new NetworkTrace(withAttentions: true);
        layers.OfType<TensorLayer>().ToList().ForEach(l => l.Meter = meter);
        try
        {
            network.Head(network.Features(zeros(1, channels, height, width), trace));
        }
        finally
        {
            layers.OfType<TensorLayer>().ToList().ForEach(l => l.Meter = null);
        }

        var rows = Rows(network, "", meter).ToList();
        if (meter.ProductShape is { } shape)
        {
            rows.Add(new("(attention)", "Attention", trace.Attentions.Count > 0 ? trace.Attentions[^1].shape : shape, 0, meter.Products));
        }

        return new(network.ClassName, [channels, height, width], network.Configuration.LabelCount, rows);
    }

    /// <summary>Measures a model by its name or folder, at its own picture size; its weights need not be there.</summary>
    /// <param name="nameOrFolder">A folder or weight file, a Hub name in the cache, or a name of <see cref="KnownModels"/>.</param>
    /// <exception cref="ModelLoadException">It is not found or not known; the message names the nearest.</exception>
    public static ModelSummary Of(string nameOrFolder)
    {
        ArgumentException.ThrowIfNullOrEmpty(nameOrFolder);
        if (!Path.Exists(nameOrFolder) && HubCache.Find(nameOrFolder) is null && KnownModels.Find(nameOrFolder) is { } known)
        {
            return known.Summarize();
        }

        var location = ModelLocation.Find(nameOrFolder);
        using var picture = new Image(ProbeSide, ProbeSide);
        using var prepared = ModelFolder.Processor(location.Configuration, location.Folder).Process(picture);
        return Of(location.Configuration, prepared.Height, prepared.Width);
    }

    /// <summary>The same with layers joined whose names begin alike.</summary>
    /// <param name="depth">Parts of the name that are kept, at least 1: of <c>layer1.0.conv1</c> two give <c>layer1.0</c>.</param>
    public ModelSummary ToDepth(int depth)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(depth, 1);
        var groups = Layers.GroupBy(l => string.Join('.', l.Name.Split('.').Take(depth)), StringComparer.Ordinal);
        return this with { Layers = [.. groups.Select(g => Join(g.Key, [.. g]))] };
    }

    internal static ModelSummary Of(ModelConfiguration configuration, int height, int width)
    {
        using var network = Architectures.Build(configuration);
        return Of(network, height, width);
    }

    private static LayerSummary Join(string name, LayerSummary[] layers) => layers is [var only]
        ? only
        : new(name, $"{layers.Length} layers", layers[^1].OutputShape, layers.Sum(l => l.ParameterCount), layers.Sum(l => l.ProductCount));

    private static IEnumerable<LayerSummary> Rows(nn.Module module, string name, LayerMeter meter)
    {
        var own = module.named_parameters(recurse: false).ToList();
        if (module is Layer layer && meter.NoteOf(layer) is { } note)
        {
            yield return new(name, KindOf(layer), note.Shape, own.Sum(p => p.parameter.numel()), note.Products);
        }
        else
        {
            foreach (var (parameterName, parameter) in own)
            {
                yield return new(Joined(name, parameterName), "Parameter", parameter.shape, parameter.numel(), 0);
            }
        }

        foreach (var (childName, child) in module.named_children())
        {
            foreach (var row in Rows(child, Joined(name, childName), meter))
            {
                yield return row;
            }
        }
    }

    private static string Joined(string parent, string child) => parent.Length == 0 ? child : $"{parent}.{child}";

    private static string KindOf(Layer layer) => layer switch
    {
        Convolution => "Conv2d",
        Dense => "Linear",
        BatchNormalization => "BatchNorm2d",
        _ => "LayerNorm",
    };
}
