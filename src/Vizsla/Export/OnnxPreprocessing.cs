using Vizsla.Imaging;
using Vizsla.Inference;
using Vizsla.Models.Graphs;
using Vizsla.Primitives;
using Vizsla.Transforms;

namespace Vizsla.Export;

/// <summary>Puts the preparation of a picture before a network, and scores and labels behind it.</summary>
/// <remarks>
/// Input <c>image</c>, uint8 [height, width, 3] (RGB, upright); outputs <c>scores</c>, float [L], and <c>label</c>, text [1], the most likely class.
/// Sizes are whole numbers that the file computes, truncated as torchvision and transformers do. Pictures are resized as uint8: equal to Pillow within one level but for some four values in ten thousand.
/// </remarks>
internal sealed class OnnxPreprocessing
{
    public const string Image = "image";
    public const string Scores = "scores";
    private const string Label = "label";

    private readonly OnnxModel _model;
    private string _x = Image;

    // The least height and width that the picture has here, whatever came in.
    private (long Height, long Width) _least = (1, 1);

    private OnnxPreprocessing(OnnxModel model) => _model = model;

    /// <summary>Makes the model for pictures of any size.</summary>
    /// <param name="network">Takes <c>pixel_values</c>, gives <c>logits</c>; changed into the new model.</param>
    /// <param name="pipeline">From a picture to the network's floats.</param>
    /// <param name="function">From logits to scores.</param>
    /// <param name="labels">Class names in order.</param>
    /// <exception cref="NotSupportedException">A step has no counterpart in ONNX; the message names it.</exception>
    public static OnnxModel Wrap(OnnxModel network, Compose pipeline, ScoreFunction function, IReadOnlyList<string> labels)
    {
        var self = new OnnxPreprocessing(network);
        var nodes = network.Nodes.ToList();
        var logits = network.Outputs.Single().Name;
        network.Nodes.Clear();
        network.Inputs.Clear();
        network.Outputs.Clear();
        network.Inputs.Add(new OnnxPort(Image, OnnxType.UInt8, "height", "width", 3L));

        self.Then("Transpose", [], new OnnxAttribute("perm", (long[])[2, 0, 1]));
        self.Then("Unsqueeze", [network.Constant(0L)]);
        foreach (var step in PipelinePlan.Flatten(pipeline.Transforms))
        {
            self.Add(step);
        }

        network.Nodes.AddRange(nodes);
        network.Rename(NetworkGraph.InputName, self._x);
        self._x = logits;
        self.Finish(function, labels);
        return network;
    }

    private void Finish(ScoreFunction function, IReadOnlyList<string> labels)
    {
        switch (function)
        {
            case ScoreFunction.Softmax:
                Then("Softmax", [], new OnnxAttribute("axis", -1L));
                break;
            case ScoreFunction.Sigmoid:
                Then("Sigmoid", []);
                break;
        }

        _model.Emit(Scores, "Squeeze", [_x, _model.Constant(0L)]);
        var best = _model.Emit("ArgMax", [Scores], new("axis", 0L), new("keepdims", 1L));
        _model.Emit(Label, "Gather", [_model.Add(OnnxTensor.Of("labels", labels)), best], new OnnxAttribute("axis", 0L));
        _model.Outputs.Add(new OnnxPort(Scores, OnnxType.Float, (long)labels.Count));
        _model.Outputs.Add(new OnnxPort(Label, OnnxType.String, 1L));
    }

    private void Add(Transform step)
    {
        switch (step)
        {
            case Resize { MaxSize: null, Size: { } size } resize:
                Resize(size, resize.Interpolation);
                break;
            case CenterCrop crop:
                Crop(crop.Size, roundsToEven: true);
                break;
            case ProcessorCenterCrop crop:
                Crop(crop.Size, roundsToEven: false);
                break;
            case ReverseChannels:
                Then("Gather", [_model.Constant(2L, 1L, 0L)], new OnnxAttribute("axis", 1L));
                break;
            case ToTensor:
                ToFloats();
                Then("Div", [_model.Constant(255.0)]);
                break;
            case ToDtype conversion:
                ToFloats();
                Scale(conversion.Scale ? 1.0 / 255 : 1, 0);
                break;
            case Rescale rescale:
                ToFloats();
                Scale(rescale.Factor, rescale.Offset);
                break;
            case Normalize normalize:
                Then("Sub", [Channels(normalize.Mean)]);
                Then("Div", [Channels(normalize.Std)]);
                break;
            default:
                throw new NotSupportedException($"The step {step} of the model's preprocessing has no counterpart in ONNX. Export without preprocessing.");
        }
    }

    private void Resize(ImageSize size, Interpolation filter)
    {
        OnnxAttribute[] mode = filter switch
        {
            Interpolation.Nearest => [new("mode", "nearest"), new("nearest_mode", "round_prefer_ceil")],
            Interpolation.Bilinear => [new("mode", "linear"), new("antialias", 1L)],
            Interpolation.Bicubic => [new("mode", "cubic"), new("cubic_coeff_a", -0.5), new("antialias", 1L)],
            _ => throw new NotSupportedException($"The model's pictures are resized with the filter {filter.ToString().ToLowerInvariant()}, which ONNX does not have. Export without preprocessing."),
        };
        // Sizes of all axes: ONNX Runtime up to 1.31 takes those of some for those of all when it moves a transposition across.
        string sizes;
        if (size.IsSide)
        {
            var (height, width) = (Length(2), Length(3));
            var shorter = _model.Emit("Min", [height, width]);
            sizes = _model.Emit("Concat", [_model.Constant(1L, 3L), .. new[] { height, width }.Select(length => _model.Emit("Div", [_model.Emit("Mul", [length, _model.Constant((long)size.Height)]), shorter]))], new OnnxAttribute("axis", 0L));
        }
        else
        {
            sizes = _model.Constant(1, 3, size.Height, size.Width);
        }

        _least = (size.Height, size.Width);
        Then("Resize", [null, null, sizes], [.. mode, new("coordinate_transformation_mode", "half_pixel"), new("exclude_outside", 1L)]);
    }

    private void Crop(ImageSize size, bool roundsToEven)
    {
        if (size.Height > _least.Height || size.Width > _least.Width)
        {
            throw new NotSupportedException($"The model's preprocessing crops {size} from pictures that may be smaller, which is not exported. Export without preprocessing.");
        }

        var starts = _model.Emit("Concat", [Start(2, size.Height), Start(3, size.Width)], new OnnxAttribute("axis", 0L));
        Then("Slice", [starts, _model.Emit("Add", [starts, _model.Constant(size.Height, size.Width)]), _model.Constant(2L, 3L)]);
        _least = (size.Height, size.Width);

        string Start(long axis, long length)
        {
            var rest = _model.Emit("Sub", [Length(axis), _model.Constant(length)]);
            var half = _model.Emit("Div", [rest, _model.Constant(2L)]);
            return roundsToEven ? _model.Emit("Add", [half, _model.Emit("Mul", [_model.Emit("Mod", [rest, _model.Constant(2L)]), _model.Emit("Mod", [half, _model.Constant(2L)])])]) : half;
        }
    }

    private void ToFloats() => Then("Cast", [], new OnnxAttribute("to", (long)OnnxType.Float));

    private void Scale(double factor, double offset)
    {
        Then("Mul", [_model.Constant(factor)]);
        if (offset != 0)
        {
            Then("Add", [_model.Constant(offset)]);
        }
    }

    private string Channels(ValueList<double> values) => _model.Constant(OnnxTensor.Of("", [1, values.Count, 1, 1], [.. values.Select(v => (float)v)]));

    private string Length(long axis) => _model.Emit("Shape", [_x], new("start", axis), new("end", axis + 1));

    private void Then(string operation, string?[] others, params OnnxAttribute[] attributes) => _x = _model.Emit(operation, [_x, .. others], attributes);
}
