using System.CommandLine;
using System.Globalization;
using Vizsla.Cli.Jobs;
using Vizsla.Imaging;
using Vizsla.Loading;
using Vizsla.Primitives;
using Vizsla.Transforms;
using static Vizsla.Cli.Wording;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla dataset show</c>: a sheet of random pictures with their labels, as they are or as a model sees them.</summary>
internal sealed class DatasetShowCommand : Verb
{
    private readonly Option<string> _dataset;
    private readonly Option<string?> _revision;
    private readonly DatasetFlags _loading;
    private readonly Option<string> _split;
    private readonly Option<int> _count;
    private readonly Option<int> _columns;
    private readonly Option<int> _seed;
    private readonly Option<string?> _transforms;
    private readonly Option<int> _epoch;
    private readonly Option<string> _output;

    public DatasetShowCommand()
        : base("show", "Draw random pictures with their labels on one sheet, as they are or as a model sees them.",
            "vizsla dataset show --dataset PetClassification --split train --output sheet.png",
            "vizsla dataset show --dataset PetClassification --transforms transforms.json --output batch.png")
    {
        _dataset = AddRequired<string>("--dataset", "Folder, or name of a dataset on the Hub.");
        _revision = AddOption<string>("--revision", "Branch, tag or commit on the Hub.", aliases: "--dataset_revision");
        _loading = new DatasetFlags(this);
        _split = AddOption("--split", "Split, or a slice such as train[:10%].", "train");
        _count = AddOption("--count", "Number of pictures, 1 to 400.", 16);
        _columns = AddOption("--columns", "Pictures in a row, 1 or more.", 4);
        _seed = AddOption("--seed", "Seed of the choice, and data seed of the transforms, 0 or more.", 42);
        _transforms = AddOption<string>("--transforms", "Pipeline file as for train: a split whose name begins with 'train' goes through 'train', any other through 'eval'.");
        _epoch = AddOption("--epoch", "Epoch, from 0, whose random transforms are drawn; goes with --transforms.", 0);
        _output = AddOption("--output", "PNG file to write.", "sheet.png");
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var (count, columns, seed) = (arguments.GetValue(_count), arguments.GetValue(_columns), arguments.GetValue(_seed));
        if (count is < 1 or > 400 || columns < 1 || seed < 0)
        {
            throw new UsageException(Invariant($"--count takes 1 to 400, --columns 1 or more, --seed 0 or more; got {count}, {columns} and {seed}."));
        }

        var (split, epoch, file) = (arguments.GetValue(_split)!, arguments.GetValue(_epoch), arguments.GetValue(_transforms));
        if (epoch < 0 || (file is null && epoch > 0))
        {
            throw new UsageException(Invariant($"--epoch takes 0 or more and goes with --transforms, got {epoch}."));
        }

        var pipeline = file is null ? null : ReadPipeline(file, split);
        var splits = await DatasetSource.OpenAsync(arguments.GetValue(_dataset)!, arguments.GetValue(_revision), _loading.Read(arguments), console, cancellationToken);
        var rows = splits.Select(split);
        int[] chosen = [.. new NumpyGenerator((ulong)seed).Permutation(rows.Count).Take(count)];
        using var sheet = pipeline is null
            ? DrawPictures(rows, chosen, columns)
            : DrawBatch(rows.WithTransform(pipeline), pipeline, chosen, columns, new() { BatchSize = chosen.Length, Seed = (ulong)seed }, epoch, cancellationToken);
        ImageCodec.SavePng(sheet, arguments.GetValue(_output)!);
        console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Drew {Counted(chosen.Length, "picture")} on '{arguments.GetValue(_output)}'."));
        return 0;
    }

    private static Compose ReadPipeline(string path, string split)
    {
        var file = PipelineFile.Load(path);
        var (pipeline, key) = split.StartsWith("train", StringComparison.Ordinal) ? (file.Train, "train") : (file.Evaluation, "eval");
        if (pipeline is null)
        {
            throw new UsageException($"'{path}' has no pipeline under '{key}', which pictures of '{split}' go through.");
        }

        return pipeline.OutputSize is not null && pipeline.OutputCount == 1 && pipeline.Transforms.Any(t => t is ConversionTransform)
            ? pipeline
            : throw new UsageException($"The pipeline under '{key}' of '{path}' cannot make batches: it must turn one picture into one, of a fixed size (Resize((height, width)) or CenterCrop), and turn it to floats (ToDtype(scale=True) or ToTensor).");
    }

    private static string LabelOf(ImageDataset rows, int row) => rows[row].Label is { } label ? rows.ClassNames[label] : "";

    private static Image DrawPictures(ImageDataset rows, int[] chosen, int columns)
    {
        var pictures = new List<(Image Image, string Label)>();
        try
        {
            pictures.AddRange(chosen.Select(row => (rows.LoadImage(row), LabelOf(rows, row))));
            return ContactSheet.Draw(pictures, columns);
        }
        finally
        {
            pictures.ForEach(p => p.Image.Dispose());
        }
    }

    // The loader draws for a row what it draws in a training with the same data seed.
    private static Image DrawBatch(ImageDataset rows, Compose pipeline, int[] chosen, int columns, BatchLoaderOptions options, int epoch, CancellationToken cancellationToken)
    {
        using var batch = new BatchLoader(rows, options).Load(chosen, epoch, cancellationToken).First();
        var shape = (batch.Channels, batch.Height, batch.Width);
        return BatchSheet.Draw(batch.Pixels, shape, [.. chosen.Select(row => LabelOf(rows, row))], pipeline, columns, cell: 224);
    }
}
