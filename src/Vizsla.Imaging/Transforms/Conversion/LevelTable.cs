using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
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
        if (destination.Channels != 3 || destination.Height != image.Height || destination.Width != image.Width)
        {
            throw new ArgumentException(
                $"A picture of {image.Width}x{image.Height} becomes [3, {image.Height}, {image.Width}], and the destination is [{destination.Channels}, {destination.Height}, {destination.Width}].",
                nameof(destination));
        }

        ref var pixel = ref MemoryMarshal.GetReference(image.Pixels);
        ref var red = ref MemoryMarshal.GetReference(destination.Channel(0));
        ref var green = ref MemoryMarshal.GetReference(destination.Channel(1));
        ref var blue = ref MemoryMarshal.GetReference(destination.Channel(2));
        ref var reds = ref MemoryMarshal.GetReference(table.AsSpan(0, Levels));
        ref var greens = ref MemoryMarshal.GetReference(table.AsSpan(Levels, Levels));
        ref var blues = ref MemoryMarshal.GetReference(table.AsSpan(2 * Levels, Levels));
        nint count = image.Width * image.Height;
        for (nint i = 0; i < count; i++)
        {
            Unsafe.Add(ref red, i) = Unsafe.Add(ref reds, (nint)pixel);
            Unsafe.Add(ref green, i) = Unsafe.Add(ref greens, (nint)Unsafe.Add(ref pixel, 1));
            Unsafe.Add(ref blue, i) = Unsafe.Add(ref blues, (nint)Unsafe.Add(ref pixel, 2));
            pixel = ref Unsafe.Add(ref pixel, 3);
        }
    }
}
