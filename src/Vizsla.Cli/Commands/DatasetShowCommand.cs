using System.CommandLine;
using Vizsla.Imaging;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla dataset show</c>: a sheet of random pictures with their labels.</summary>
internal sealed class DatasetShowCommand : Verb
{
    private readonly Option<string> _dataset;
    private readonly Option<string> _split;
    private readonly Option<int> _count;
    private readonly Option<int> _columns;
    private readonly Option<int> _seed;
    private readonly Option<string> _output;

    public DatasetShowCommand()
        : base("show", "Draw random pictures with their labels on one sheet.", "vizsla dataset show --dataset PetClassification --split train --output sheet.png")
    {
        _dataset = AddRequired<string>("--dataset", "Folder, or name of a dataset on the Hub.");
        _split = AddOption("--split", "Split, or a slice such as train[:10%].", "train");
        _count = AddOption("--count", "Number of pictures, 1 to 400.", 16);
        _columns = AddOption("--columns", "Pictures in a row, 1 or more.", 4);
        _seed = AddOption("--seed", "Seed of the choice, 0 or more.", 42);
        _output = AddOption("--output", "PNG file to write.", "sheet.png");
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var (count, columns, seed) = (arguments.GetValue(_count), arguments.GetValue(_columns), arguments.GetValue(_seed));
        if (count is < 1 or > 400 || columns < 1 || seed < 0)
        {
            throw new UsageException($"--count takes 1 to 400, --columns 1 or more, --seed 0 or more; got {count}, {columns} and {seed}.");
        }

        var splits = await DatasetDict.LoadAsync(arguments.GetValue(_dataset)!, cancellationToken: cancellationToken);
        var chosen = splits.Select(arguments.GetValue(_split)!).Shuffle((ulong)seed).Take(count);
        var pictures = Enumerable.Range(0, chosen.Count).Select(row => (Image: chosen.LoadImage(row), Label: chosen[row].Label is { } label ? chosen.ClassNames[label] : "")).ToList();
        try
        {
            using var sheet = ContactSheet.Draw(pictures, columns);
            ImageCodec.SavePng(sheet, arguments.GetValue(_output)!);
        }
        finally
        {
            pictures.ForEach(p => p.Image.Dispose());
        }

        console.WriteLine($"Drew {pictures.Count} pictures on '{arguments.GetValue(_output)}'.");
        return 0;
    }
}
