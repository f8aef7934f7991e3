using Vizsla.Imaging;

namespace Vizsla.Cli;

/// <summary>A PNG file of pictures with a line of text below each.</summary>
internal static class PictureSheet
{
    private const int Columns = 6;
    private const int Cell = 176;

    /// <summary>Draws pictures, and disposes them.</summary>
    /// <param name="path">The PNG file.</param>
    /// <param name="pictures">One at least, each with its label.</param>
    /// <returns>How many were drawn.</returns>
    public static int Save(string path, IEnumerable<(Image Image, string Label)> pictures)
    {
        var all = new List<(Image Image, string Label)>();
        try
        {
            all.AddRange(pictures);
            using var sheet = ContactSheet.Draw(all, Columns, Cell);
            ImageCodec.SavePng(sheet, path);
            return all.Count;
        }
        finally
        {
            all.ForEach(p => p.Image.Dispose());
        }
    }
}
