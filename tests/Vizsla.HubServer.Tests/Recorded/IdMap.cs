using System.Text.RegularExpressions;

namespace Vizsla.HubServer.Tests.Recorded;

/// <summary>Recorded ids and addresses, and what they are on the server under test.</summary>
internal sealed partial class IdMap(Uri hub, Uri storage)
{
    private const string RecordedHub = "http://127.0.0.1:18080";
    private const string RecordedStorage = "http://127.0.0.1:18081";

    private readonly Dictionary<string, string> _ids = [];
    private readonly Dictionary<string, string> _addresses = [];

    /// <summary>Notes a pair of texts that should mean the same.</summary>
    /// <returns>Why they do not; null when they do.</returns>
    public string? Learn(string recorded, string own)
    {
        if (recorded == own || (Date().IsMatch(recorded) && Date().IsMatch(own)))
        {
            return null;
        }

        if (Id().IsMatch(recorded) && Id().IsMatch(own) && recorded.Length == own.Length)
        {
            // 24 digits are a repository's own id, which a repository made again gets anew.
            var first = _ids.TryAdd(recorded, own);
            return first || _ids[recorded] == own || recorded.Length == 24 ? null : $"'{recorded}' was '{_ids[recorded]}', here '{own}'";
        }

        if (Uri.TryCreate(recorded, UriKind.Absolute, out var theirs) && Uri.TryCreate(own, UriKind.Absolute, out var ours))
        {
            _addresses[recorded] = own;
            var expected = Here(Translate(theirs.GetLeftPart(UriPartial.Path)));
            return expected == ours.GetLeftPart(UriPartial.Path) ? null : $"address '{own}', expected '{expected}'";
        }

        return Here(Translate(recorded)) == own ? null : $"'{own}', recorded '{recorded}'";
    }

    /// <summary>A recorded request's address on the server under test.</summary>
    public Uri AddressOf(bool isStorage, string path, string? query)
    {
        var recorded = $"{(isStorage ? RecordedStorage : RecordedHub)}{path}{(query is null ? "" : "?" + query)}";
        return _addresses.TryGetValue(recorded, out var own) ? new Uri(own) : new Uri(Here(Translate(recorded)));
    }

    /// <summary>Ids in a text, replaced by those here.</summary>
    public string Translate(string text) => Ids().Replace(text, m => _ids.TryGetValue(m.Value, out var own) ? own
        : m.Value.Length < 24 && _ids.FirstOrDefault(p => p.Key.StartsWith(m.Value, StringComparison.Ordinal)) is { Value: { } whole } ? whole[..m.Value.Length] : m.Value);

    private string Here(string text) => text
        .Replace(RecordedStorage, storage.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal)
        .Replace(RecordedHub, hub.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal);

    [GeneratedRegex(@"^([0-9a-f]{24}|[0-9a-f]{40}|[0-9a-f]{64})\z")]
    private static partial Regex Id();

    [GeneratedRegex(@"(?<![0-9a-f])([0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{7}(?=/))(?![0-9a-f])")]
    private static partial Regex Ids();

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z\z")]
    private static partial Regex Date();
}
