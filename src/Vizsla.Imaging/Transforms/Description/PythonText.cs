using System.Collections;
using System.Globalization;
using System.Runtime.CompilerServices;
using Vizsla.Imaging;
using Vizsla.Primitives;

namespace Vizsla.Transforms;

/// <summary>Writes transforms as Python, for <c>from torchvision.transforms import v2</c>.</summary>
internal static class PythonText
{
    /// <summary>The expression of one transform, or the expressions it takes in Python, separated by commas.</summary>
    public static string Write(Transform transform) => transform switch
    {
        ToDtype { Scale: true } => "v2.ToImage(), v2.ToDtype(torch.float32, scale=True)",
        ToDtype => "v2.ToImage(), v2.ToDtype(torch.float32)",
        Rescale { Offset: 0, Factor: 1.0 / 255 } => "v2.ToImage(), v2.ToDtype(torch.float32, scale=True)",
        Rescale rescale => $"v2.ToImage(), v2.ToDtype(torch.float32), v2.Lambda(lambda x: x * {Number(rescale.Factor)} + {Number(rescale.Offset)})",
        ProcessorCenterCrop crop => $"v2.CenterCrop({Write(crop.Size)})",
        ReverseChannels => "v2.Lambda(lambda image: PIL.Image.merge(\"RGB\", image.split()[::-1]))",
        // torchvision refuses to add noise to Pillow's pictures.
        GaussianNoise => $"v2.Compose([v2.PILToTensor(), {Call(nameof(GaussianNoise), transform)}, v2.ToPILImage()])",
        RandomBatchChoice choice => Call("RandomChoice", choice),
        _ => Call(TransformType.NameOf(transform.GetType()), transform),
    };

    private static string Call(string name, Transform transform)
    {
        var module = TransformList.Find(TransformType.NameOf(transform.GetType())) is null ? "" : "v2.";
        var arguments = TransformType.Of(transform.GetType()).ChangedParameters(transform)
            .Select(entry => entry.Parameter.IsRequired ? Write(entry.Value) : $"{entry.Parameter.Name}={Write(entry.Value)}");
        return $"{module}{name}({string.Join(", ", arguments)})";
    }

    private static string Write(object? value) => value switch
    {
        null => "None",
        bool flag => flag ? "True" : "False",
        double number => Number(number),
        Interpolation interpolation => $"v2.InterpolationMode.{ParameterJson.Word(interpolation).Replace('-', '_').ToUpperInvariant()}",
        AutoAugmentPolicy policy => $"v2.AutoAugmentPolicy.{ParameterJson.Word(policy).ToUpperInvariant()}",
        Enum choice => $"\"{ParameterJson.Word(choice)}\"",
        EraseValue { IsRandom: true } => "\"random\"",
        EraseValue { Numbers.Count: 1 } erase => Number(erase.Numbers[0]),
        EraseValue erase => Write(erase.Numbers),
        Transform transform => Write(transform),
        ITuple tuple => $"({string.Join(", ", Enumerable.Range(0, tuple.Length).Select(i => Write(tuple[i])))})",
        NumberOrPair { IsPair: false } single => Number(single.Low),
        NumberOrPair pair => $"({Number(pair.Low)}, {Number(pair.High)})",
        IEnumerable items => $"[{string.Join(", ", items.Cast<object?>().Select(Write))}]",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    // Whole numbers without a point, as one writes angles and sizes.
    private static string Number(double number) => number == Math.Floor(number) && Math.Abs(number) < 1e15
        ? number.ToString("F0", CultureInfo.InvariantCulture)
        : PythonJson.Repr(number);
}
