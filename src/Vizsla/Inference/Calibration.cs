using System.IO.Hashing;
using System.Text.Json.Nodes;
using Vizsla.Hub.Cache;
using Vizsla.Models;
using Vizsla.Primitives;

namespace Vizsla.Inference;

/// <summary>The temperature and the threshold that were fitted for a model, kept beside its weights in <c>calibration.json</c>.</summary>
/// <param name="Temperature">Divides the logits, above 0; above 1 the model was too sure.</param>
/// <param name="Split">Split that it was fitted on.</param>
/// <param name="Pictures">Number of its pictures.</param>
/// <param name="ErrorBefore">Expected calibration error on them without it, 0 to 1.</param>
/// <param name="ErrorAfter">The same with it.</param>
/// <param name="Threshold">Confidence below which a picture is none of the classes, 0 to 1; with the temperature.</param>
/// <param name="Weights">Hash of the weights that it was fitted for.</param>
public sealed record Calibration(double Temperature, string Split, int Pictures, double ErrorBefore, double ErrorAfter, double Threshold, string Weights)
{
    /// <summary>Name of the file in a model folder.</summary>
    public const string FileName = "calibration.json";

    /// <summary>The calibration of a model.</summary>
    /// <param name="folder">The folder that the model was read from.</param>
    /// <param name="model">The model, whose weights have to be those that it was fitted for.</param>
    /// <exception cref="FileNotFoundException">The folder has none.</exception>
    /// <exception cref="ModelLoadException">The file is invalid, or was fitted for other weights.</exception>
    public static Calibration Load(string folder, ImageClassifier model)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(model);
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"'{folder}' has no {FileName}: no temperature was fitted for this model. Fit one with: vizsla evaluate --calibrate.", path);
        }

        var calibration = Read(path);
        return calibration.Weights == HashOf(model)
            ? calibration
            : throw new ModelLoadException($"'{path}' was fitted for other weights than the model has now; fit it again with: vizsla evaluate --calibrate.");
    }

    /// <summary>Whether a picture is none of the model's classes: the most likely one is less likely than <see cref="Threshold"/>.</summary>
    /// <param name="predictions">What the model says of it with <see cref="Temperature"/>, best first.</param>
    public bool IsNone(IReadOnlyList<Prediction> predictions)
    {
        ArgumentNullException.ThrowIfNull(predictions);
        return predictions is [var best, ..] && best.Score < Threshold;
    }

    /// <summary>Writes the file, whole or not at all.</summary>
    /// <param name="folder">The model's folder.</param>
    public void Save(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        var json = new JsonObject
        {
            ["temperature"] = Temperature, ["split"] = Split, ["pictures"] = Pictures, ["expected_calibration_error"] = ErrorBefore, ["expected_calibration_error_calibrated"] = ErrorAfter,
            ["threshold"] = Threshold, ["weights"] = Weights,
        };
        AtomicFile.Write(Path.Combine(folder, FileName), PythonJson.Serialize(json, indent: 2, sortKeys: false) + "\n", flush: true);
    }

    /// <summary>A hash of all weights, those of an adapter among them.</summary>
    internal static string HashOf(ImageClassifier model)
    {
        var hash = new XxHash128();
        foreach (var (_, value) in model.Network.State().Concat(model.SavedState))
        {
            using var whole = value.contiguous();
            hash.Append(whole.bytes);
        }

        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }

    private static Calibration Read(string path)
    {
        try
        {
            var json = PythonJson.Parse(File.ReadAllText(path))!.AsObject();
            double Number(string key) => double.Parse(json[key]!.ToString(), System.Globalization.CultureInfo.InvariantCulture);
            var read = new Calibration(
                Number("temperature"), json["split"]!.ToString(), (int)Number("pictures"), Number("expected_calibration_error"), Number("expected_calibration_error_calibrated"),
                Number("threshold"), json["weights"]!.ToString());
            return read.Temperature > 0 && double.IsFinite(read.Temperature) && read.Threshold is >= 0 and <= 1
                ? read
                : throw new FormatException(Invariant($"temperature is {read.Temperature}, threshold {read.Threshold}"));
        }
        catch (Exception e) when (e is FormatException or NullReferenceException or InvalidOperationException or System.Text.Json.JsonException)
        {
            throw new ModelLoadException($"'{path}' is not a calibration: expected temperature (above 0), threshold (0 to 1), split, pictures, weights and the calibration errors. Remove it, and fit it again with: vizsla evaluate --calibrate.", e);
        }
    }
}
