namespace Vizsla.Models;

/// <summary>How the tokens of a transformer lie on the picture, and which of them its head reads.</summary>
/// <param name="Rows">Patches from top to bottom.</param>
/// <param name="Columns">Patches from left to right.</param>
/// <param name="LeadingShares">For each token before the patches its share of what the head reads; the patches have the rest in equal parts.</param>
internal sealed record TokenMap(int Rows, int Columns, params double[] LeadingShares)
{
    /// <summary>Tokens in all.</summary>
    public int Count => LeadingShares.Length + Rows * Columns;

    /// <summary>The map of a batch.</summary>
    /// <param name="pixels">Shape of the batch, [B, C, H, W].</param>
    /// <param name="patch">Height and width of a patch.</param>
    /// <param name="leadingShares">Shares of the tokens before the patches.</param>
    public static TokenMap Of(long[] pixels, (int Height, int Width) patch, params double[] leadingShares) =>
        new((int)pixels[2] / patch.Height, (int)pixels[3] / patch.Width, leadingShares);

    /// <summary>For each token its share of what the head reads; together one.</summary>
    public double[] Shares()
    {
        var patches = Rows * Columns;
        return [.. LeadingShares, .. Enumerable.Repeat((1 - LeadingShares.Sum()) / patches, patches)];
    }
}
