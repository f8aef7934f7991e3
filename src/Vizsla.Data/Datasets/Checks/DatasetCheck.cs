using System.Globalization;

namespace Vizsla.Datasets.Checks;

/// <summary>Looks for what makes a dataset worse than it need be: broken pictures, copies, confused class names, odd sizes, classes out of balance.</summary>
public static class DatasetCheck
{
    /// <summary>Reads every picture once and compares them all.</summary>
    /// <param name="dataset">The splits.</param>
    /// <param name="options">Where to complain; null takes the defaults.</param>
    /// <param name="progress">Told the number of pictures done, from several threads; null is not told.</param>
    /// <param name="cancellationToken">Stops between two pictures.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is outside of its range.</exception>
    public static DatasetCheckReport Run(DatasetDict dataset, DatasetCheckOptions? options = null, IProgress<int>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        options ??= new();
        ArgumentOutOfRangeException.ThrowIfNegative(options.NearDistance, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.NearDistance, 16, nameof(options));
        var facts = PictureScan.Run([.. dataset.Values], progress, options.CacheFolder, cancellationToken);
        FoundPicture[] pictures = [.. dataset.SelectMany(s => Enumerable.Range(0, s.Value.Count).Select(row => Describe(s.Key, s.Value, row)))];
        var findings = new List<DatasetFinding>();
        for (var i = 0; i < facts.Length; i++)
        {
            findings.AddRange(OfPicture(facts[i], options).Select(f => f with { Pictures = [pictures[i]] }));
        }

        findings.AddRange(Copies(FindingKind.Exact, CopySearch.Exact(facts), pictures, "have the same content"));
        findings.AddRange(Copies(
            FindingKind.Near,
            CopySearch.Alike(facts, options.NearDistance).Where(g => g.Select(i => facts[i].Sha256).Distinct().Skip(1).Any()),
            pictures,
            "look alike"));
        findings.AddRange(ClassFindings.SameButForCase(dataset));
        findings.AddRange(ClassFindings.OutOfBalance(dataset, options.MaxImbalance));
        return new([.. dataset.Select(s => KeyValuePair.Create(s.Key, s.Value.Count))], [.. findings.OrderBy(f => f.Kind)]);
    }

    private static IEnumerable<DatasetFinding> OfPicture(PictureFacts facts, DatasetCheckOptions options)
    {
        if (facts.Problem is { } problem)
        {
            yield return new(facts.IsCutShort ? FindingKind.Truncated : FindingKind.Unreadable, IsError: true, problem, []);
            yield break;
        }

        var (shorter, longer) = (Math.Min(facts.Width, facts.Height), Math.Max(facts.Width, facts.Height));
        var size = $"it has {facts.Width} x {facts.Height} pixels";
        if (shorter < options.MinSide)
        {
            yield return Warning(FindingKind.Tiny, $"{size}, and one side is below {options.MinSide}");
        }

        var ratio = (double)longer / shorter;
        if (ratio > options.MaxRatio)
        {
            yield return Warning(FindingKind.Extreme, string.Create(CultureInfo.InvariantCulture, $"{size}, and one side is {ratio:0.#} times the other"));
        }

        if ((double)facts.Width * facts.Height > options.MaxMegapixels * 1e6)
        {
            yield return Warning(FindingKind.Extreme, string.Create(CultureInfo.InvariantCulture, $"{size}, more than {options.MaxMegapixels} million"));
        }

        if (facts.Signature is { IsBlank: true })
        {
            yield return Warning(FindingKind.Extreme, "it has one color all over");
        }
    }

    private static DatasetFinding Warning(FindingKind kind, string message) => new(kind, IsError: false, message, []);

    private static IEnumerable<DatasetFinding> Copies(FindingKind kind, IEnumerable<int[]> groups, FoundPicture[] pictures, string what)
    {
        foreach (var group in groups)
        {
            var finding = new DatasetFinding(kind, IsError: false, "", [.. group.Select(i => pictures[i])]);
            var splits = finding.IsAcrossSplits ? $"; they lie in {Join(finding.Pictures.Select(p => p.Split))}" : "";
            var labels = finding.HasDifferentLabels ? $"; they are labeled {Join(finding.Pictures.Select(p => $"'{p.Label}'"))}" : "";
            yield return finding with
            {
                Message = $"{group.Length} pictures {what}{splits}{labels}",
                IsError = finding.IsAcrossSplits || finding.HasDifferentLabels,
            };
        }
    }

    private static string Join(IEnumerable<string> names)
    {
        string[] all = [.. names.Distinct()];
        return all.Length == 1 ? all[0] : $"{string.Join(", ", all[..^1])} and {all[^1]}";
    }

    private static FoundPicture Describe(string split, ImageDataset rows, int row)
    {
        var label = rows.Features.LabelColumn is { } column && rows.Value(row, column) is long number and >= 0 && number < rows.ClassNames.Count ? rows.ClassNames[(int)number] : "";
        var source = rows.Features.ImageColumn is { } image ? rows.Value(row, image) as ImageSource : null;
        return new(split, row, source?.Name ?? $"row {row}", label);
    }
}

/// <summary>From where on a <see cref="DatasetCheck"/> complains.</summary>
public sealed record DatasetCheckOptions
{
    /// <summary>Most bits, 0 to 16, in which the hashes of near copies differ; default 8. At 0 only pictures of equal hash count as near.</summary>
    public int NearDistance { get; init; } = 8;

    /// <summary>Pictures whose shorter side has fewer pixels are tiny; default 32.</summary>
    public int MinSide { get; init; } = 32;

    /// <summary>Pictures whose longer side is more than this many times the shorter are extreme; default 4.</summary>
    public double MaxRatio { get; init; } = 4;

    /// <summary>Pictures of more million pixels are extreme; default 50.</summary>
    public double MaxMegapixels { get; init; } = 50;

    /// <summary>Classes of a split of which the largest has more than this many times the pictures of the smallest are out of balance; default 10.</summary>
    public double MaxImbalance { get; init; } = 10;

    /// <summary>Where what was seen in files is kept for the next time; null takes <c>vizsla/picture-facts</c> below <c>XDG_CACHE_HOME</c>, or the platform's folder for it.</summary>
    public string? CacheFolder { get; init; }
}
