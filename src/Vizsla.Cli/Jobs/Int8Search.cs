using Vizsla.Export;

namespace Vizsla.Cli.Jobs;

/// <summary>Finds which convolutions an int8 file can have in int8: all of them, or those that cost least.</summary>
/// <param name="export">The network; ranges were observed.</param>
/// <param name="check">Compares with the network.</param>
/// <param name="tolerance">How far the file may be.</param>
internal sealed class Int8Search(OnnxExport export, ExportCheck check, ExportTolerance tolerance)
{
    // Enough to tell layers that cost much from the others; every layer is measured by a file of its own.
    private const int PicturesToRank = 16;

    // Shares of the convolutions that are tried in float32, smallest first.
    private static readonly double[] s_shares = [0.05, 0.1, 0.2, 0.4, 0.7, 1];

    /// <summary>Layers that stay in float32 so that the file is near enough; all where even that is not.</summary>
    /// <param name="folder">An existing folder for files that are tried.</param>
    /// <param name="report">Told what is being done.</param>
    /// <param name="cancellationToken">Looked at between pictures.</param>
    public IReadOnlyList<string> Run(string folder, Action<string> report, CancellationToken cancellationToken)
    {
        var layers = export.Convolutions;
        if (layers.Count == 0 || Try([]).Problem(OnnxPrecision.Int8, preparesItself: false, tolerance) is not { } problem)
        {
            return [];
        }

        report($"With all {Wording.Counted(layers.Count, "convolution")} in int8 {problem}: looking for those that cost most.");
        var costs = layers.ToDictionary(layer => layer, layer => Try(layers.Where(other => other != layer), PicturesToRank).MeanDifference, StringComparer.Ordinal);
        var ranked = layers.OrderByDescending(layer => costs[layer]).ToList();
        foreach (var share in s_shares)
        {
            var floats = ranked.Take((int)Math.Ceiling(share * ranked.Count)).ToList();
            if (Try(floats).Problem(OnnxPrecision.Int8, preparesItself: false, tolerance) is null)
            {
                return floats;
            }
        }

        return ranked;

        ExportAgreement Try(IEnumerable<string> floatLayers, int most = int.MaxValue)
        {
            var file = export.Make(OnnxPrecision.Int8, floatLayers).SaveWhole(Path.Combine(folder, "trial.onnx"));
            try
            {
                return check.Compare(file, preparesItself: false, cancellationToken, most);
            }
            finally
            {
                File.Delete(file);
            }
        }
    }
}
