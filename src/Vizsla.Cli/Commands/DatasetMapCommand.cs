using System.CommandLine;
using System.Numerics;
using Vizsla.Analysis;
using Vizsla.Cli.Jobs;
using Vizsla.Imaging;
using Vizsla.Primitives;
using static Vizsla.Cli.Wording;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla dataset map</c>: pictures laid out so that those that look alike lie together.</summary>
internal sealed class DatasetMapCommand : Verb
{
    private readonly EmbeddingFlags _source;
    private readonly Option<string> _output;
    private readonly Option<double> _perplexity;
    private readonly Option<ulong> _seed;
    private readonly Option<int> _size;

    public DatasetMapCommand()
        : base("map", "Draw a map of the pictures on which those that look alike to a model lie together (t-SNE).",
            "vizsla dataset map --dataset PetClassification --model tf_efficientnet_lite0 --output map.png",
            "vizsla dataset map --dataset PetClassification --model tf_efficientnet_lite0 --output map.csv")
    {
        var defaults = new PlaneMapOptions();
        _source = new EmbeddingFlags(this);
        _output = AddRequired<string>("--output", "A .png to draw the pictures on, each framed in the color of its class, or a .csv with file_name, split, label, x and y.");
        _perplexity = AddOption("--perplexity", "How many neighbors a picture is kept near to, about; above 1.", defaults.Perplexity);
        _seed = AddOption("--seed", "Seed of the initial layout.", defaults.Seed);
        _size = AddOption("--size", "Width and height of the PNG in pixels, 256 to 8192.", 1600);
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var (output, size, perplexity) = (arguments.GetValue(_output)!, arguments.GetValue(_size), arguments.GetValue(_perplexity));
        var isTable = output.EndsWith(".csv", StringComparison.OrdinalIgnoreCase);
        if (!isTable && !output.EndsWith(".png", StringComparison.OrdinalIgnoreCase))
        {
            throw new UsageException($"--output takes a path that ends in .png or .csv, got '{output}'.");
        }

        if (size is < 256 or > 8192 || perplexity is not (> 1 and < double.PositiveInfinity))
        {
            throw new UsageException(Invariant($"--size takes 256 to 8192 pixels and --perplexity a number above 1, got {size} and {perplexity}."));
        }

        var embedded = await _source.OpenAsync(arguments, [], console, cancellationToken);
        if (embedded.Features.Count < 4)
        {
            throw new UsageException($"A map needs four pictures at least; '{embedded.Title}' has {embedded.Features.Count}.");
        }

        var places = PlaneMap.Layout(embedded.Features, new PlaneMapOptions { Perplexity = perplexity, Seed = arguments.GetValue(_seed) }, cancellationToken);
        if (isTable)
        {
            var rows = places.Select((p, i) => CsvLine.Of(embedded.Name(i), embedded.Split(i), embedded.LabelOf(i), PythonJson.Repr(p.X), PythonJson.Repr(p.Y)));
            File.WriteAllText(output, string.Concat(rows.Prepend("file_name,split,label,x,y").Select(row => row + "\n")));
        }
        else
        {
            using var drawing = Draw(embedded, places, size);
            ImageCodec.SavePng(drawing, output);
        }

        console.Note($"Wrote '{output}': {Counted(places.Length, "picture")}.");
        return 0;
    }

    // Pictures shrink until a quarter of the area would hold them all; those drawn later cover the earlier ones.
    private static Image Draw(EmbeddedDataset embedded, Vector2[] places, int size)
    {
        var (low, high) = (places.Aggregate(Vector2.Min), places.Aggregate(Vector2.Max));
        var cell = Math.Clamp((int)(size * Math.Sqrt(0.25 / places.Length)), 8, 96);
        var scale = (size - cell - 4) / Math.Max(Math.Max(high.X - low.X, high.Y - low.Y), 1e-6f);
        var offset = (new Vector2(size - cell) - ((high - low) * scale)) / 2;
        var sheet = new Image(size, size);
        sheet.Pixels.Fill(255);
        for (var i = 0; i < places.Length; i++)
        {
            using var picture = embedded.Load(i);
            var (left, top) = ((int)(((places[i].X - low.X) * scale) + offset.X), (int)(((places[i].Y - low.Y) * scale) + offset.Y));
            var frame = embedded.Labels.Count == 0 ? [120, 120, 120] : ClassColor(embedded.Labels[i], embedded.Classes.Count);
            Place(sheet, picture, Math.Clamp(left, 0, size - cell), Math.Clamp(top, 0, size - cell), cell, frame);
        }

        return sheet;
    }

    private static void Place(Image sheet, Image picture, int left, int top, int cell, byte[] frame)
    {
        var inner = cell - 4;
        using var fitted = Resampler.Resize(picture, inner, inner, Interpolation.Bilinear);
        for (var y = 0; y < cell; y++)
        {
            var row = sheet.Row(top + y).Slice(3 * left, 3 * cell);
            for (var x = 0; x < cell; x++)
            {
                frame.CopyTo(row[(3 * x)..]);
            }

            if (y >= 2 && y < cell - 2)
            {
                fitted.Row(y - 2).CopyTo(row[6..]);
            }
        }
    }

    // Around the circle of hues by the golden ratio, so that classes next to one another in the list differ.
    private static byte[] ClassColor(int label, int count)
    {
        var hue = label * 0.618034 % 1 * 6;
        var value = label % 2 == 0 || count < 8 ? 225 : 150;
        byte Channel(double shift)
        {
            var k = (shift + hue) % 6;
            return (byte)(value * (1 - Math.Clamp(Math.Min(k, 4 - k), 0, 1)));
        }

        return [Channel(5), Channel(3), Channel(1)];
    }
}
