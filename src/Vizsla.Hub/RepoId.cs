using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace Vizsla.Hub;

/// <summary>The name of a repository on a Hub: type, owner and name.</summary>
/// <remarks>Source: huggingface_hub <c>validate_repo_id</c>. Parity: exact, names refused included.</remarks>
public sealed partial record RepoId
{
    private const int MaxLength = 96;

    private RepoId(RepoType type, string? owner, string name)
    {
        Type = type;
        Owner = owner;
        Name = name;
    }

    /// <summary>Model or dataset.</summary>
    public RepoType Type { get; }

    /// <summary>The user or organization; null for the Hub's own names without owner, such as <c>gpt2</c>.</summary>
    public string? Owner { get; }

    /// <summary>The part after the owner.</summary>
    public string Name { get; }

    /// <summary><c>owner/name</c>, or the name alone.</summary>
    public string Id => Owner is null ? Name : $"{Owner}/{Name}";

    /// <summary>The segment of API addresses: <c>models</c> or <c>datasets</c>.</summary>
    public string ApiSegment => Type is RepoType.Model ? "models" : "datasets";

    /// <summary>The word of the protocol: <c>model</c> or <c>dataset</c>.</summary>
    public string TypeName => Type is RepoType.Model ? "model" : "dataset";

    /// <summary>What precedes the id in addresses of files: empty for models, <c>datasets/</c> for datasets.</summary>
    public string UrlPrefix => Type is RepoType.Model ? "" : "datasets/";

    /// <summary>The repository's folder in the cache: <c>models--owner--name</c>.</summary>
    public string FolderName => $"{ApiSegment}--{Id.Replace("/", "--", StringComparison.Ordinal)}";

    /// <summary>A model repository.</summary>
    /// <param name="id"><c>owner/name</c> or <c>name</c>.</param>
    /// <exception cref="ArgumentException">The id is not a valid name.</exception>
    public static RepoId Model(string id) => Parse(id, RepoType.Model);

    /// <summary>A dataset repository.</summary>
    /// <param name="id"><c>owner/name</c> or <c>name</c>.</param>
    /// <exception cref="ArgumentException">The id is not a valid name.</exception>
    public static RepoId Dataset(string id) => Parse(id, RepoType.Dataset);

    /// <summary>Reads <c>owner/name</c> or <c>name</c>.</summary>
    /// <param name="id">At most 96 characters of letters, digits, <c>-</c>, <c>_</c> and <c>.</c> in each part.</param>
    /// <param name="type">What the repository holds.</param>
    /// <exception cref="ArgumentException">The id is not a valid name; the message says which rule it breaks.</exception>
    public static RepoId Parse(string id, RepoType type = RepoType.Model)
    {
        ArgumentNullException.ThrowIfNull(id);
        return Fault(id) is { } fault ? throw new ArgumentException(fault, nameof(id)) : Create(id, type);
    }

    /// <summary>Whether a text can be the name of a repository.</summary>
    /// <param name="id">The text.</param>
    /// <param name="type">What the repository holds.</param>
    /// <param name="repo">The name read; null when it is none.</param>
    public static bool TryParse(string? id, RepoType type, [NotNullWhen(true)] out RepoId? repo)
    {
        repo = id is not null && Fault(id) is null ? Create(id, type) : null;
        return repo is not null;
    }

    /// <inheritdoc/>
    public override string ToString() => UrlPrefix + Id;

    private static RepoId Create(string id, RepoType type)
    {
        var slash = id.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? new(type, null, id) : new(type, id[..slash], id[(slash + 1)..]);
    }

    private static string? Fault(string id)
    {
        if (id.Count(c => c == '/') > 1)
        {
            return $"Repository id must be in the form 'name' or 'owner/name', got '{id}'.";
        }

        if (!Allowed().IsMatch(id))
        {
            return $"Repository id '{id}' must use letters, digits, '-', '_' or '.', its parts must not start or end with '-' or '.', and the name has at most {MaxLength} characters.";
        }

        return id.Contains("--", StringComparison.Ordinal) || id.Contains("..", StringComparison.Ordinal)
            ? $"Repository id '{id}' must not contain '--' or '..'."
            : id.EndsWith(".git", StringComparison.Ordinal) ? $"Repository id '{id}' must not end with '.git'." : null;
    }

    [GeneratedRegex(@"^(\b[A-Za-z0-9_.\-]+\b/)?\b[A-Za-z0-9_.\-]{1,96}\b\z")]
    private static partial Regex Allowed();
}

/// <summary>What a repository holds.</summary>
public enum RepoType
{
    /// <summary>A model: addressed without a prefix, <c>user/name</c>.</summary>
    Model,

    /// <summary>A dataset: <c>datasets/user/name</c> in addresses.</summary>
    Dataset,
}
