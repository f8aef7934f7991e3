using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Vizsla.Hub.Cache;
using Vizsla.Imaging;

namespace Vizsla.Serving.Pictures;

/// <summary>A folder of the pictures that a model was least sure of, as they were sent: each model in a folder of its own, the name of a file its best score and a hash.</summary>
/// <remarks>The folder is all there is to remember: a server that starts anew goes on with it, and files that somebody takes away make room.</remarks>
internal sealed partial class UncertainPictures(string folder, int most, ILogger logger)
{
    private const string ScoreFormat = "0.0000";
    private const int HashBytes = 16;

    private readonly Lock _gate = new();
    private bool _hasFailed;

    /// <summary>Keeps a picture, unless the folder is full of less certain ones.</summary>
    /// <param name="model">Name of the model.</param>
    /// <param name="data">The picture's bytes.</param>
    /// <param name="score">Score of its best class, 0 to 1.</param>
    public void Offer(string model, byte[] data, double score)
    {
        try
        {
            var own = Path.Combine(folder, model);
            lock (_gate)
            {
                Directory.CreateDirectory(own);
                var hash = Convert.ToHexStringLower(SHA256.HashData(data).AsSpan(0, HashBytes));
                var kept = Directory.GetFiles(own).Select(f => Path.GetFileName(f)).Where(n => ScoreOf(n) is not null).ToList();
                if (kept.Any(n => n.Contains(hash, StringComparison.Ordinal)))
                {
                    return;
                }

                if (kept.Count >= most)
                {
                    var surest = kept.MaxBy(ScoreOf)!;
                    if (ScoreOf(surest) <= score)
                    {
                        return;
                    }

                    File.Delete(Path.Combine(own, surest));
                }

                AtomicFile.Write(Path.Combine(own, $"{score.ToString(ScoreFormat, CultureInfo.InvariantCulture)}-{hash}.{ExtensionOf(data)}"), stream => stream.Write(data));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // An answer is never lost for it; one line says what is missing.
            if (!Interlocked.Exchange(ref _hasFailed, true))
            {
                LogFailure(folder, e.Message.TrimEnd('.'));
            }
        }
    }

    private static double? ScoreOf(string name) =>
        name.IndexOf('-', StringComparison.Ordinal) is > 0 and var dash && double.TryParse(name.AsSpan(0, dash), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var score) ? score : null;

    private static string ExtensionOf(byte[] data) => ImageCodec.Identify(data).Format.ToLowerInvariant() is var format && format == "jpeg" ? "jpg" : format;

    [LoggerMessage(LogLevel.Warning, "Pictures of low confidence cannot be kept in '{Folder}': {Reason}.")]
    private partial void LogFailure(string folder, string reason);
}
