using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Vizsla.HubServer.Commits;
using Vizsla.HubServer.Protocol;
using Vizsla.HubServer.Repositories;

namespace Vizsla.HubServer.Api;

/// <summary>What a request for repositories asks: filters, order, fields.</summary>
/// <remarks>Source: huggingface_hub <c>HfApi.list_models</c>, <c>list_datasets</c>, 0.36 and 2.4.</remarks>
internal sealed class RepositoryQuery
{
    // What nothing on this Hub has: a filter by one of these selects nothing.
    private static readonly string[] Absent = ["apps", "inference", "inference_provider", "benchmark", "trained_dataset_id"];

    private readonly string[] _tags;
    private readonly string[] _words;
    private readonly string[] _fields;
    private readonly bool? _isGated;
    private readonly bool _selectsNothing;
    private readonly string? _sort;
    private readonly bool _isAscending;

    /// <param name="request">Its query is read.</param>
    /// <exception cref="Refusal">It asks for a filter or an order that this Hub does not know.</exception>
    public RepositoryQuery(HttpRequest request)
    {
        var query = request.Query;
        string[] Values(string name) => [.. query[name].OfType<string>().SelectMany(v => v.Split(',')).Where(v => v.Length > 0)];
        _tags = [.. Values("filter"), .. Values("tags"), .. Values("pipeline_tag"), .. Values("library"), .. Values("language").Select(l => l.Contains(':', StringComparison.Ordinal) ? l : "language:" + l)];
        _words = [.. Values("search"), .. Values("dataset_name"), .. Values("model_name")];
        _fields = [.. query["expand"].OfType<string>()];
        _isGated = query["gated"].ToString() switch
        {
            "" => null,
            "true" or "True" or "1" => true,
            "false" or "False" or "0" => false,
            var other => throw new Refusal(StatusCodes.Status400BadRequest, $"\"gated\" must be true or false, got \"{other}\"."),
        };
        _selectsNothing = Absent.Any(query.ContainsKey);
        if (query.ContainsKey("num_parameters"))
        {
            throw new Refusal(StatusCodes.Status400BadRequest, "This Hub does not filter by \"num_parameters\".");
        }

        _sort = query["sort"].ToString() switch
        {
            "" => null,
            "lastModified" or "last_modified" => "lastModified",
            "createdAt" or "created_at" => "createdAt",
            // Nothing is counted here: all are equal.
            "downloads" or "likes" or "trendingScore" or "trending_score" => null,
            var other => throw new Refusal(StatusCodes.Status400BadRequest, $"This Hub does not sort by \"{other}\"; use lastModified, createdAt, downloads, likes or trendingScore."),
        };
        _isAscending = query["direction"].ToString() is "1";
        Author = query["author"].ToString() is { Length: > 0 } author ? author : null;
        WantsFiles = request.Asks("full");
        WantsCard = request.Asks("cardData") || request.Asks("full") || _fields.Contains("cardData");
        WantsConfig = request.Asks("config") || _fields.Contains("config");
        WantsFiles |= _fields.Any(f => f is "siblings" or "sha" or "gated" or "author" or "disabled");
    }

    /// <summary>The owner; null for all.</summary>
    public string? Author { get; }

    /// <summary>Whether files are asked for.</summary>
    public bool WantsFiles { get; }

    /// <summary>Whether the cards' metadata is asked for.</summary>
    public bool WantsCard { get; }

    /// <summary>Whether the configurations are asked for.</summary>
    public bool WantsConfig { get; }

    /// <summary>Whether every repository is selected, whatever its card says.</summary>
    public bool IsEmpty => _tags.Length == 0 && _isGated is null && !_selectsNothing;

    /// <summary>Whether a repository's name holds what is searched for.</summary>
    public bool Names(Repository repository) => _words.All(w => repository.Id.Id.Contains(w, StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether a repository passes the filters.</summary>
    public bool Selects(Repository repository, CardFacts facts) =>
        !_selectsNothing && (_isGated is not { } gated || gated == repository.IsGated) && _tags.All(t => facts.Tags.Contains(t) || facts.Library == t || facts.PipelineTag == t);

    /// <summary>Rows in the order asked for, newest first unless asked otherwise; by name when none is asked for.</summary>
    public IEnumerable<T> Sorted<T>(IEnumerable<T> rows, Func<T, string> modified, Func<T, string> created)
    {
        var key = _sort == "createdAt" ? created : modified;
        return _sort is null ? rows : _isAscending ? rows.OrderBy(key, StringComparer.Ordinal) : rows.OrderByDescending(key, StringComparer.Ordinal);
    }

    /// <summary>A row cut down to the fields of <c>expand</c>, where there are any.</summary>
    public JsonObject Expanded(JsonObject json)
    {
        if (_fields.Length > 0)
        {
            foreach (var name in json.Select(p => p.Key).Where(k => k is not ("_id" or "id") && !_fields.Contains(k)).ToList())
            {
                json.Remove(name);
            }
        }

        return json;
    }
}
