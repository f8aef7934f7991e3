using System.CommandLine;
using System.Text.Json.Nodes;
using Vizsla.Analysis;
using Vizsla.Imaging;
using Vizsla.Primitives;
using static Vizsla.Cli.Wording;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla dataset search</c>: the pictures of a dataset that are most like a photo.</summary>
internal sealed class DatasetSearchCommand : Verb
{
    private static readonly (string Word, bool Json)[] s_formats = [("table", false), ("json", true)];

    private readonly EmbeddingFlags _source;
    private readonly Option<string> _like;
    private readonly Option<int> _top;
    private readonly Option<string> _format;
    private readonly Option<string?> _output;

    public DatasetSearchCommand()
        : base("search", "Find the pictures of a dataset that are most like a photo.",
            "vizsla dataset search --dataset PetClassification --model tf_efficientnet_lite0 --like photo.jpg --output found.png")
    {
        _source = new EmbeddingFlags(this);
        _like = AddRequired<string>("--like", "The photo to compare with.");
        _top = AddOption("--top", "Pictures to name, at least 1.", 12, "--top_k");
        _format = AddOption("--format", "table or json.", "table");
        _output = AddOption<string>("--output", "PNG file to draw the photo and the found pictures on.");
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CommandConsole console, CancellationToken cancellationToken)
    {
        var asJson = Choice.Parse("--format", arguments.GetValue(_format)!, s_formats);
        var (like, top) = (arguments.GetValue(_like)!, arguments.GetValue(_top));
        if (top < 1)
        {
            throw new UsageException(Invariant($"--top takes 1 or more, got {top}."));
        }

        if (!File.Exists(like))
        {
            throw new UsageException($"--like: there is no file '{like}'.");
        }

        var embedded = await _source.OpenAsync(arguments, [like], console, cancellationToken);
        var found = Neighbors.Of(embedded.Features, embedded.Others[0], top);
        if (asJson)
        {
            console.WriteLine(PythonJson.Serialize(new JsonArray([.. found.Select(n => new JsonObject
            {
                ["file_name"] = embedded.Name(n.Row), ["split"] = embedded.Split(n.Row), ["label"] = embedded.LabelOf(n.Row), ["distance"] = n.Distance,
            })]), indent: 2, sortKeys: false, ensureAscii: false));
        }
        else
        {
            console.WriteTable(["picture", "split", "label", "distance"], found.Select(n => new[] { embedded.Name(n.Row), embedded.Split(n.Row), embedded.LabelOf(n.Row), Invariant($"{n.Distance:0.000}") }));
        }

        if (arguments.GetValue(_output) is { } path)
        {
            PictureSheet.Save(path, found.Select(n => (embedded.Load(n.Row), Invariant($"{embedded.LabelOf(n.Row)} {n.Distance:0.000}"))).Prepend((ImageCodec.Load(like), Path.GetFileName(like))));
            console.Note($"Drew '{path}': the photo and {Counted(found.Length, "picture")}.");
        }

        return 0;
    }
}
