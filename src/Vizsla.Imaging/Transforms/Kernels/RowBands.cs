namespace Vizsla.Transforms;

/// <summary>Runs over the rows of a picture: a large one on all cores, a small one on the caller's alone, where other pictures keep the others busy.</summary>
internal static class RowBands
{
    // The rows of a band; enough bands for every core to have the next one when it is done with one.
    private const int BandRows = 64;
    private const int LeastPixels = 1 << 18;

    /// <summary>Calls <paramref name="work"/> with the first row of a band and the row behind its last until every row was done once, in any order.</summary>
    /// <param name="width">Columns of the picture.</param>
    /// <param name="height">Rows of the picture.</param>
    /// <param name="work">Must not depend on the order of the bands.</param>
    public static void Run(int width, int height, Action<int, int> work)
    {
        var count = height / BandRows;
        if (count < 2 || (long)width * height < LeastPixels)
        {
            work(0, height);
            return;
        }

        // The last band takes the rows that are left over.
        Parallel.For(0, count, band => work(band * BandRows, band == count - 1 ? height : (band + 1) * BandRows));
    }
}
