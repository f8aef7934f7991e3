using Vizsla.Imaging;

namespace Vizsla.Transforms;

/// <summary>What each level of each channel becomes on its way to the model: conversion and normalization in one look-up.</summary>
internal static class LevelTable
{
    private const int Levels = 256;

    /// <summary>Computes the table.</summary>
    /// <returns>3 * 256 floats, channel by channel.</returns>
    public static float[] Build(PointwiseConversion conversion, IReadOnlyList<Normalize> normalizations)
    {
        var table = new float[3 * Levels];
        for (var channel = 0; channel < 3; channel++)
        {
            for (var level = 0; level < Levels; level++)
            {
                var value = conversion.Convert((byte)level);
                foreach (var normalize in normalizations)
                {
                    value = normalize.Apply(channel, value);
                }

                table[(channel * Levels) + level] = value;
            }
        }

        return table;
    }

    /// <summary>Writes a picture through the table.</summary>
    public static void Apply(float[] table, Image image, ImageTensor destination)
    {
        var pixels = image.Pixels;
        var red = destination.Channel(0);
        var green = destination.Channel(1);
        var blue = destination.Channel(2);
        ReadOnlySpan<float> reds = table.AsSpan(0, Levels);
        ReadOnlySpan<float> greens = table.AsSpan(Levels, Levels);
        ReadOnlySpan<float> blues = table.AsSpan(2 * Levels, Levels);
        for (int i = 0, p = 0; i < red.Length; i++, p += 3)
        {
            red[i] = reds[pixels[p]];
            green[i] = greens[pixels[p + 1]];
            blue[i] = blues[pixels[p + 2]];
        }
    }
}
