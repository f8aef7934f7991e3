using System.Globalization;
using Vizsla.Imaging;

namespace Vizsla.Inference;

/// <summary>Draws photos with the most likely classes as bars beside them.</summary>
internal static class PredictionSheet
{
    private const int Gap = 12;
    private const int BarHeight = 10;
    private const int BarPitch = 36;
    private const int ScoreWidth = 72;
    private const int LabelHeight = 22;
    private static readonly byte[] Track = [225, 229, 236];
    private static readonly byte[] Best = [176, 84, 36];
    private static readonly byte[] Other = [120, 144, 180];

    /// <summary>Draws one row per photo.</summary>
    /// <param name="predictions">What the model says; a file that cannot be read shows its reason instead of bars.</param>
    /// <param name="cell">Side of the square that a photo is fitted into, in pixels, at least 64; the bars take twice that.</param>
    /// <param name="explainer">Shows beside each photo where its network looked; null leaves that out.</param>
    /// <returns>The sheet on white; the caller owns it.</returns>
    /// <exception cref="ArgumentException">There is no prediction.</exception>
    public static Image Draw(IReadOnlyList<PicturePrediction> predictions, int cell = 224, PicturePredictor? explainer = null)
    {
        ArgumentNullException.ThrowIfNull(predictions);
        ArgumentOutOfRangeException.ThrowIfLessThan(cell, 64);
        if (predictions.Count == 0)
        {
            throw new ArgumentException("A sheet needs at least one prediction.", nameof(predictions));
        }

        var bars = predictions.Max(p => p.Predictions.Count);
        var height = LabelHeight + Math.Max(cell, bars * BarPitch);
        var pictures = explainer is null ? 1 : 2;
        var left = Gap + pictures * (cell + Gap);
        var sheet = new Image(left + 2 * cell + Gap, Gap + predictions.Count * (height + Gap));
        sheet.Pixels.Fill(255);
        for (var i = 0; i < predictions.Count; i++)
        {
            var top = Gap + i * (height + Gap);
            DrawPictures(sheet, predictions[i], top, cell, explainer);
            DrawBars(sheet, predictions[i], left, top + LabelHeight, 2 * cell, height - LabelHeight);
        }

        return sheet;
    }

    private static void DrawPictures(Image sheet, PicturePrediction prediction, int top, int cell, PicturePredictor? explainer)
    {
        LabelText.Draw(sheet, Path.GetFileName(prediction.File), Gap, top, cell, LabelHeight);
        if (prediction.Error is not null)
        {
            return;
        }

        using var photo = ImageCodec.Load(prediction.File);
        Place(sheet, photo, Gap, top + LabelHeight, cell);
        if (explainer is not null)
        {
            var explanation = explainer.Explain(photo);
            using var seen = explainer.Seen(photo);
            using var overlay = explanation.Heat.Over(seen);
            LabelText.Draw(sheet, NameOf(explanation.Method), Gap + cell + Gap, top, cell, LabelHeight);
            Place(sheet, overlay, Gap + cell + Gap, top + LabelHeight, cell);
        }
    }

    private static void Place(Image sheet, Image picture, int left, int top, int cell)
    {
        var scale = (double)cell / Math.Max(picture.Width, picture.Height);
        var width = Math.Clamp((int)Math.Round(picture.Width * scale), 1, cell);
        var height = Math.Clamp((int)Math.Round(picture.Height * scale), 1, cell);
        using var fitted = Resampler.Resize(picture, width, height, Interpolation.Bicubic);
        for (var y = 0; y < height; y++)
        {
            fitted.Row(y).CopyTo(sheet.Row(top + y)[(3 * (left + (cell - width) / 2))..]);
        }
    }

    private static string NameOf(ExplanationMethod method) => method switch
    {
        ExplanationMethod.AttentionRollout => "where it looked (attention)",
        _ => "where it looked (Grad-CAM)",
    };

    // Spread over the height of the photo, up to half as far apart again as they must be.
    private static void DrawBars(Image sheet, PicturePrediction prediction, int left, int top, int width, int height)
    {
        if (prediction.Error is { } error)
        {
            LabelText.Draw(sheet, error, left, top, width, LabelHeight, TextSide.Left);
            return;
        }

        var pitch = Math.Clamp(height / Math.Max(prediction.Predictions.Count, 1), BarPitch, BarPitch * 3 / 2);
        for (var i = 0; i < prediction.Predictions.Count; i++)
        {
            var (label, score, _) = prediction.Predictions[i];
            var y = top + i * pitch;
            LabelText.Draw(sheet, label, left, y, width - ScoreWidth, LabelHeight, TextSide.Left);
            LabelText.Draw(sheet, string.Create(CultureInfo.InvariantCulture, $"{100 * score:0.0} %"), left + width - ScoreWidth, y, ScoreWidth, LabelHeight, TextSide.Right);
            Fill(sheet, left, y + LabelHeight, width, Track);
            Fill(sheet, left, y + LabelHeight, (int)Math.Round(width * Math.Clamp(score, 0f, 1f)), i == 0 ? Best : Other);
        }
    }

    private static void Fill(Image sheet, int left, int top, int width, byte[] color)
    {
        for (var y = top; y < top + BarHeight; y++)
        {
            var row = sheet.Row(y).Slice(3 * left, 3 * width);
            for (var x = 0; x < row.Length; x++)
            {
                row[x] = color[x % 3];
            }
        }
    }
}
