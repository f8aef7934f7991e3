using System.Globalization;

namespace Vizsla.Datasets.Checks;

/// <summary>Looks for what makes a dataset worse than it needs to be: broken pictures, copies, confused class names, odd sizes, classes out of balance.</summary>
public static class DatasetCheck
{
    /// <summary>Reads every picture once and compares them all.</summary>
    /// <param name="dataset">The splits.</param>
    /// <param name="options">Thresholds; null takes the defaults.</param>
    /// <param name="progress">Receives the number of pictures done, from several threads; may be null.</param>
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

        findings.AddRange(OddSizes(facts, pictures, options));
        findings.AddRange(Grays(facts, pictures));
        findings.AddRange(Copies(FindingKind.Exact, CopySearch.Exact(facts), pictures, "have the same content"));
        findings.AddRange(Copies(
            FindingKind.Near,
            CopySearch.Alike(facts, options.NearDistance).Where(g => g.Select(i => facts[i].Sha256).Distinct().Skip(1).Any()),
            pictures,
            "look alike"));
        findings.AddRange(ClassFindings.OfNames(dataset));
        findings.AddRange(ClassFindings.OfLeftOut(dataset));
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

        foreach (var finding in OfQuality(facts, options))
        {
            yield return finding;
        }
    }

    private static IEnumerable<DatasetFinding> OfQuality(PictureFacts facts, DatasetCheckOptions options)
    {
        if (facts.Quality is not { } quality)
        {
            return [];
        }

        (FindingKind Kind, double Score, double Threshold, string What)[] all =
        [
            (FindingKind.Blurry, quality.Blurry, options.BlurryThreshold, "it is blurry"),
            (FindingKind.Dark, quality.Dark, options.DarkThreshold, "it is dark"),
            (FindingKind.Light, quality.Light, options.LightThreshold, "it is overexposed"),
            (FindingKind.LowInformation, quality.LowInformation, options.LowInformationThreshold, "it holds little information"),
            (FindingKind.OddShape, quality.OddShape, options.OddShapeThreshold, "it is of an odd shape"),
        ];
        return all.Where(q => q.Score < q.Threshold).Select(q =>
            Warning(q.Kind, string.Create(CultureInfo.InvariantCulture, $"{q.What}: its score is {q.Score:0.###}, below {q.Threshold}")) with { Score = q.Score });
    }

    private static IEnumerable<DatasetFinding> OddSizes(PictureFacts[] facts, FoundPicture[] pictures, DatasetCheckOptions options)
    {
        int[] read = [.. Enumerable.Range(0, facts.Length).Where(i => facts[i].Problem is null)];
        if (read.Length == 0)
        {
            yield break;
        }

        var (scores, threshold) = PictureQuality.OddSizes([.. read.Select(i => Math.Sqrt(facts[i].Width) * Math.Sqrt(facts[i].Height))], options.OddSizeFactor);
        foreach (var (i, score) in read.Zip(scores).Where(p => p.Second < threshold))
        {
            var message = string.Create(CultureInfo.InvariantCulture, $"its {facts[i].Width} x {facts[i].Height} pixels are far from the usual size of the dataset: its score is {score:0.###}, below {threshold}");
            yield return Warning(FindingKind.OddSize, message) with { Score = score, Pictures = [pictures[i]] };
        }
    }

    // A dataset of gray pictures is none of pictures that lost their color.
    private static IEnumerable<DatasetFinding> Grays(PictureFacts[] facts, FoundPicture[] pictures)
    {
        FoundPicture[] gray = [.. pictures.Where((_, i) => facts[i].Quality is { IsGray: true })];
        if (gray.Length > 0 && 2 * gray.Length < facts.Length)
        {
            yield return Warning(FindingKind.Gray, $"{(gray.Length == 1 ? "1 picture is" : $"{gray.Length} pictures are")} gray among {facts.Length}") with { Pictures = gray };
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

/// <summary>Thresholds of a <see cref="DatasetCheck"/>.</summary>
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

    /// <summary>Pictures whose sharpness scores less are blurry, 0 to 1; default 0.29, as cleanvision's.</summary>
    public double BlurryThreshold { get; init; } = 0.29;

    /// <summary>Pictures whose brightest pixels (99th percentile) score less are dark, 0 to 1; default 0.32, as cleanvision's.</summary>
    public double DarkThreshold { get; init; } = 0.32;

    /// <summary>Pictures whose darkest pixels (5th percentile, 1 is black) score less are light, 0 to 1; default 0.05, as cleanvision's.</summary>
    public double LightThreshold { get; init; } = 0.05;

    /// <summary>Pictures whose entropy, in tens of bits, is less hold little information; default 0.3, as cleanvision's.</summary>
    public double LowInformationThreshold { get; init; } = 0.3;

    /// <summary>Pictures whose shorter side over the longer is less are of an odd shape; default 0.35, as cleanvision's.</summary>
    public double OddShapeThreshold { get; init; } = 0.35;

    /// <summary>Pictures whose size lies more than this many times the distance of the quartiles outside of them are of an odd size; default 3, as cleanvision's.</summary>
    public double OddSizeFactor { get; init; } = 3;

    /// <summary>Classes of a split of which the largest has more than this many times the pictures of the smallest are out of balance; default 10.</summary>
    public double MaxImbalance { get; init; } = 10;

    /// <summary>Where what was seen in files is kept for the next time; null takes <c>vizsla/picture-facts</c> below <c>XDG_CACHE_HOME</c>, or the platform's folder for it.</summary>
    public string? CacheFolder { get; init; }
}
