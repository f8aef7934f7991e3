using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Vizsla.Hub.Cards;

/// <summary>A repository's README.md: metadata in YAML between two lines of dashes, then text.</summary>
/// <remarks>Source: huggingface_hub <c>RepoCard</c>. Keys keep their order, new ones come last; the text is kept to the last byte.</remarks>
public sealed partial class RepoCard
{
    private readonly string _lineBreak;
    private readonly bool _hadMetadata;

    private RepoCard(JsonObject metadata, string text, string lineBreak, bool hadMetadata)
    {
        Metadata = metadata;
        Text = text;
        _lineBreak = lineBreak;
        _hadMetadata = hadMetadata;
    }

    /// <summary>The metadata; change it in place.</summary>
    public JsonObject Metadata { get; }

    /// <summary>What follows the metadata.</summary>
    public string Text { get; set; }

    /// <summary>Reads a card.</summary>
    /// <param name="content">The whole file; without metadata it is all text.</param>
    /// <exception cref="YamlException">The metadata is not a YAML mapping.</exception>
    public static RepoCard Parse(string content)
    {
        ArgumentNullException.ThrowIfNull(content);
        var lineBreak = content.Contains("\r\n", StringComparison.Ordinal) ? "\r\n" : "\n";
        if (Block().Match(content) is not { Success: true } block)
        {
            return new RepoCard([], content, lineBreak, hadMetadata: false);
        }

        var metadata = YamlReader.Read(block.Groups[2].Value) switch
        {
            null => [],
            JsonObject map => map,
            _ => throw new YamlException("The card's metadata is not a mapping of keys to values."),
        };
        return new RepoCard(metadata, content[block.Length..], lineBreak, hadMetadata: true);
    }

    /// <summary>The whole file.</summary>
    public override string ToString() => Metadata.Count == 0 && !_hadMetadata
        ? Text
        : $"---{_lineBreak}{YamlWriter.Write(Metadata, allowUnicode: true, _lineBreak)}---{_lineBreak}{Text}";

    [GeneratedRegex(@"^(\s*---(?:\r\n|\r|\n))([\S\s]*?)((?:\r\n|\r|\n)---[ \t]*(\r\n|\n|\z))")]
    private static partial Regex Block();
}
