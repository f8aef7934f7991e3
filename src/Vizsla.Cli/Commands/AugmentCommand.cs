using System.CommandLine;
using Vizsla.Cli.Jobs;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Transforms;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla augment</c>: shows what a training pipeline makes of a photo.</summary>
internal sealed class AugmentCommand : Verb
{
    private const int Columns = 4;
    private readonly Argument<string> _image;
    private readonly Option<string?> _transforms;
    private readonly Option<int> _count;
    private readonly Option<long> _seed;
    private readonly Option<string> _output;

    public AugmentCommand()
        : base("augment", "Show what a training pipeline makes of a photo: a sheet of augmented pictures.",
            "vizsla augment photo.jpg --output grid.png",
            "vizsla augment photo.jpg --transforms transforms.json --count 12 --seed 0 --output grid.png")
    {
        _image = AddArgument<string>("image", "The photo.", ArgumentArity.ExactlyOne);
        _transforms = AddOption<string>("--transforms", $"Pipeline file (JSON), or a name: {string.Join(", ", TransformChoice.Names)}. Default: tutorial.");
        _count = AddOption("--count", "Augmented pictures to draw, at least 1.", 12);
        _seed = AddOption("--seed", "Data seed; picture i is what epoch i of a run with this seed sees of the first row.", 0L);
        _output = AddOption("--output", "Picture to write.", "grid.png");
    }

    protected override Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var count = arguments.GetValue(_count);
        if (count < 1)
        {
            throw new UsageException(Invariant($"--count takes a number of at least 1, got {count}."));
        }

        var pipeline = TransformChoice.Read(arguments.GetValue(_transforms), configured: null).Train.For(new ImageProcessor());
        var output = arguments.GetValue(_output)!;
        var pictures = new List<(Image Image, string Label)>();
        try
        {
            pictures.Add((ImageCodec.Load(arguments.GetValue(_image)!), "original"));
            for (var epoch = 0; epoch < count; epoch++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var (picture, changes) = Augment(pictures[0].Image, pipeline, Rng.ForSample((ulong)arguments.GetValue(_seed), epoch, 0));
                pictures.Add((picture, changes.Length == 0 ? $"{epoch}: unchanged" : $"{epoch}: {changes}"));
            }

            using var sheet = ContactSheet.Draw(pictures, Columns);
            ImageCodec.SavePng(sheet, output);
        }
        finally
        {
            foreach (var (picture, _) in pictures)
            {
                picture.Dispose();
            }
        }

        console.WriteLine(pipeline.ToString());
        console.WriteLine($"In Python: {Pipeline.ToPython(pipeline)}");
        console.Note($"Drew '{output}'.");
        return Task.FromResult(0);
    }

    // Runs the picture steps one by one, to tell which of the random ones changed the picture.
    private static (Image Picture, string Changes) Augment(Image photo, Compose pipeline, Rng rng)
    {
        var changes = new List<string>();
        var current = photo.Clone();
        foreach (var step in pipeline.Transforms.OfType<ImageTransform>())
        {
            var next = step.Apply(current, rng);
            if (ReferenceEquals(next, current))
            {
                continue;
            }

            current.Dispose();
            current = next;
            if (step.IsRandom)
            {
                changes.Add(ShortName(step));
            }
        }

        return (current, string.Join(", ", changes));
    }

    private static string ShortName(ImageTransform step) => step is RandomApply apply
        ? string.Join(", ", apply.Transforms.Select(ShortName))
        : step.GetType().Name.Replace("Random", "", StringComparison.Ordinal);
}
