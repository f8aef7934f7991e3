using System.Globalization;
using System.Numerics;

namespace Vizsla.Studio.Datasets;

/// <summary>A picture on the map.</summary>
/// <param name="X">Place from left to right, 0 to 1.</param>
/// <param name="Y">Place from top to bottom, 0 to 1.</param>
/// <param name="Color">As CSS writes it: by its class.</param>
/// <param name="Label">Its class and name.</param>
/// <param name="Picture">Address of its thumbnail; empty where it left the dataset.</param>
public sealed record PlanePoint(float X, float Y, string Color, string Label, string Picture)
{
    private const double GoldenRatio = 0.618034;

    /// <summary>The points of a map; a picture whose class was changed meanwhile has its new color.</summary>
    internal static IReadOnlyList<PlanePoint> Of(IReadOnlyList<(string File, string Label, Vector2 Place)> map, DatasetLibrary library, DatasetShelf shelf)
    {
        var photos = library.Photos.ToDictionary(shelf.FileOf, StringComparer.Ordinal);
        var classes = library.Given?.Values.First().ClassNames.Index().ToDictionary(c => c.Item, c => c.Index, StringComparer.Ordinal) ?? [];
        var (low, high) = (map.Select(p => p.Place).Aggregate(Vector2.Min), map.Select(p => p.Place).Aggregate(Vector2.Max));
        var size = Math.Max(Math.Max(high.X - low.X, high.Y - low.Y), 1e-6f);
        return [.. map.Select(p =>
        {
            var photo = photos.GetValueOrDefault(p.File);
            var label = photo?.Label ?? p.Label;
            return new PlanePoint((p.Place.X - low.X) / size, (p.Place.Y - low.Y) / size, ColorOf(classes.GetValueOrDefault(label), classes.Count), $"{label} · {Path.GetFileName(p.File)}", photo is null ? "" : DatasetEndpoints.Given(photo, 160, library.Version));
        })];
    }

    // Around the circle of hues by the golden ratio, so that classes next to one another in the list differ.
    private static string ColorOf(int label, int count) => string.Create(CultureInfo.InvariantCulture, $"hsl({label * GoldenRatio % 1 * 360:0} 62% {(label % 2 == 0 || count < 8 ? 52 : 42)}%)");
}
