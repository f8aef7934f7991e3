using System.CommandLine;
using Vizsla.Datasets.Splits;
using static Vizsla.Cli.Wording;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla dataset relabel</c>: changes labels of an image folder, and takes the changes back.</summary>
internal sealed class DatasetRelabelCommand : Verb
{
    private readonly Option<string> _dataset;
    private readonly Option<string?> _from;
    private readonly Option<bool> _undo;

    public DatasetRelabelCommand()
        : base("relabel", "Change labels of an image folder: files move to the folders of their new classes, within their split.",
            "vizsla dataset relabel --dataset PetClassification --from issues.csv",
            "vizsla dataset relabel --dataset PetClassification --undo")
    {
        _dataset = AddRequired<string>("--dataset", "Folder of the dataset.");
        _from = AddOption<string>("--from", "CSV file with file_name and suggested, the new class, as 'vizsla dataset labels --format csv' writes it (delete the lines that you do not want); or with file_name and label.");
        _undo = AddOption("--undo", "Bring every picture back to the class it had, and do nothing else.", false);
    }

    protected override Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var (dataset, from, undo) = (arguments.GetValue(_dataset)!, arguments.GetValue(_from), arguments.GetValue(_undo));
        if (undo == from is not null)
        {
            throw new UsageException("Give --from FILE.csv to change labels, or --undo to take the changes back.");
        }

        var relabeling = new Relabeling(dataset);
        if (undo)
        {
            var restored = relabeling.Undo();
            console.WriteLine(restored.Count == 0 ? "Nothing was brought back." : $"Brought back {Counted(restored.Count, "picture")}.");
            return Task.FromResult(0);
        }

        var moved = relabeling.Apply(Relabeling.ReadChanges(from!));
        if (moved.Count > 0)
        {
            console.WriteTable(["picture", "was", "is"], moved.Select(file => new[] { file.Moved, file.OldLabel, file.Label }));
        }

        console.WriteLine(moved.Count == 0
            ? "Every picture has its label already; nothing was moved."
            : $"Changed {Counted(moved.Count, "label")}; 'vizsla dataset relabel --dataset {dataset} --undo' takes that back.");
        return Task.FromResult(0);
    }
}
