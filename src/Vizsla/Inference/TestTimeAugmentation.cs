using System.Globalization;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Transforms;

namespace Vizsla.Inference;

/// <summary>Several views of each picture, whose logits are averaged: a little more accuracy for as many times the work.</summary>
/// <remarks>
/// Every view has the size that the model's own pipeline gives. Source: Krizhevsky et al. 2012 (five crops and their mirror images), Simonyan and Zisserman 2014 (scales),
/// torchvision <c>FiveCrop</c>.
/// </remarks>
public sealed class TestTimeAugmentation
{
    private const string FlipName = "flip";
    private const string CropsName = "five-crop";
    private const string ScalesName = "scales";
    // A crop of 224 from 256.
    private const double CropScale = 8.0 / 7;
    private static readonly string[] s_names = [FlipName, CropsName, ScalesName];
    private static readonly double[] s_defaultScales = [1, 1.15, 1.3];

    private readonly string _text;
    private readonly bool _flips;
    private readonly bool _crops;
    private readonly double[]? _scales;

    private TestTimeAugmentation(string text, bool flips, bool crops, double[]? scales) => (_text, _flips, _crops, _scales) = (text, flips, crops, scales);

    /// <summary>Reads what views are wanted.</summary>
    /// <param name="text">
    /// <c>flip</c> (the picture and its mirror image), <c>five-crop</c> (the corners and the middle of a picture that is 8/7 as large),
    /// <c>scales</c> (the middle of the picture at 1, 1.15 and 1.3 times its size) or <c>scales=1:1.5</c> with other factors from 1 to 4;
    /// or several of them joined by <c>+</c>, which multiplies their views.
    /// </param>
    /// <exception cref="FormatException">It is something else; the message lists what there is.</exception>
    public static TestTimeAugmentation Parse(string text)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(text);
        var (flips, crops) = (false, false);
        double[]? scales = null;
        foreach (var part in text.Split('+'))
        {
            var (name, factors) = part.Split('=', 2) is [var left, var right] ? (left, right) : (part, null);
            switch (name)
            {
                case FlipName when factors is null && !flips:
                    flips = true;
                    break;
                case CropsName when factors is null && !crops:
                    crops = true;
                    break;
                case ScalesName when scales is null:
                    scales = factors is null ? s_defaultScales : Factors(factors, text);
                    break;
                default:
                    throw new FormatException(
                        $"Test-time augmentation '{text}' is invalid at '{part}': give each of flip, five-crop and scales (or scales=1:1.5, with factors from 1 to 4) at most once, joined by '+'.{Suggestion.DidYouMean(name, s_names)}");
            }
        }

        return new(text, flips, crops, scales);
    }

    /// <summary>The pipelines of the views.</summary>
    /// <param name="pipeline">The model's own pipeline.</param>
    /// <returns>At least one; each makes one picture of the size that <paramref name="pipeline"/> makes.</returns>
    /// <exception cref="ArgumentException">The pipeline does not begin with a Resize, or ends in no fixed size, where crops or scales are asked for.</exception>
    public IReadOnlyList<Compose> Views(Compose pipeline)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        IEnumerable<(Transform[] Geometry, Transform[] Tail)> views = [Parts(pipeline)];
        if (_scales is not null || _crops)
        {
            var size = pipeline.OutputSize;
            if (pipeline.Transforms is not [Resize { Size: not null }, ..] || size is null)
            {
                throw new ArgumentException(
                    $"'{_text}' needs a pipeline that begins with a Resize and ends in one size, and the model's is {pipeline}; take flip.", nameof(pipeline));
            }

            views = views.SelectMany(view => (_scales ?? [1]).SelectMany(scale => Cut(view, scale, new ImageSize(size.Value.Height, size.Value.Width))));
        }

        if (_flips)
        {
            views = views.SelectMany(view => new[] { view, ([.. view.Geometry, new Mirror()], view.Tail) });
        }

        return [.. views.Select(view => new Compose([.. view.Geometry, .. view.Tail]))];
    }

    /// <inheritdoc />
    public override string ToString() => _text;

    // What changes the picture's place and size stands first in every pipeline of a model.
    private static (Transform[] Geometry, Transform[] Tail) Parts(Compose pipeline)
    {
        Transform[] geometry = [.. pipeline.Transforms.TakeWhile(t => t is Resize or CenterCrop)];
        return (geometry, [.. pipeline.Transforms.Skip(geometry.Length)]);
    }

    private IEnumerable<(Transform[] Geometry, Transform[] Tail)> Cut((Transform[] Geometry, Transform[] Tail) view, double scale, ImageSize size)
    {
        var resize = (Resize)view.Geometry[0];
        if (!_crops)
        {
            return scale == 1 ? [view] : [([Scaled(resize, scale), new CenterCrop(size)], view.Tail)];
        }

        // A pipeline that cuts out the middle has a margin already.
        var hasMargin = resize.Size is { IsSide: true } side ? side.Height > Math.Max(size.Height, size.Width) : resize.Size!.Value.Height > size.Height && resize.Size.Value.Width > size.Width;
        var enlarged = Scaled(resize, hasMargin ? scale : scale * CropScale);
        return Enumerable.Range(0, new FiveCrop(size).OutputCount).Select(i => ((Transform[])[enlarged, new OneOfFive(new FiveCrop(size), i)], view.Tail));
    }

    private static Resize Scaled(Resize resize, double scale)
    {
        var size = resize.Size!.Value;
        return resize with
        {
            Size = size.IsSide ? new ImageSize(Times(size.Height)) : new ImageSize(Times(size.Height), Times(size.Width)),
            MaxSize = resize.MaxSize is { } most ? Times(most) : null,
        };

        int Times(int side) => (int)Math.Round(side * scale);
    }

    private static double[] Factors(string text, string whole)
    {
        var factors = text.Split(':');
        var numbers = factors.Select(f => double.TryParse(f, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number is >= 1 and <= 4 ? number : double.NaN).ToArray();
        return Array.FindIndex(numbers, double.IsNaN) is var wrong and >= 0
            ? throw new FormatException($"Test-time augmentation '{whole}' is invalid at '{factors[wrong]}': the factors of scales are numbers from 1 to 4, as in scales=1:1.5.")
            : numbers;
    }

    /// <summary>Mirrors every picture left to right.</summary>
    private sealed record Mirror : ImageTransform
    {
        public override bool IsRandom => false;

        public override (int Height, int Width)? SizeAfter((int Height, int Width)? input) => input;

        public override Image Apply(Image image, Rng rng) => Flip.Horizontal(image);
    }

    /// <summary>One of the pictures that a crop makes.</summary>
    private sealed record OneOfFive(FiveCrop Crop, int Index) : ImageTransform
    {
        public override bool IsRandom => false;

        public override (int Height, int Width)? SizeAfter((int Height, int Width)? input) => Crop.SizeAfter(input);

        public override Image Apply(Image image, Rng rng)
        {
            var crops = Crop.Apply(image);
            foreach (var other in crops.Where((_, i) => i != Index))
            {
                other.Dispose();
            }

            return crops[Index];
        }
    }
}
