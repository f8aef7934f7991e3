namespace Vizsla.Models;

/// <summary>What must hold between the numbers of a configuration.</summary>
internal static class OptionChecks
{
    /// <summary>Attention splits the width evenly.</summary>
    public static void Heads(int width, int heads)
    {
        if (heads < 1 || width < 1 || width % heads != 0)
        {
            throw new ModelLoadException($"hidden_size {width} is not a multiple of num_attention_heads {heads}; change one of them.");
        }
    }

    /// <summary>Lists of stages are as long as one another, and not empty.</summary>
    public static void Stages(params ReadOnlySpan<(string Key, IReadOnlyList<int> Values)> lists)
    {
        var (counts, keys) = (new List<int>(), new List<string>());
        foreach (var (key, values) in lists)
        {
            counts.Add(values.Count);
            keys.Add(key);
        }

        if (counts[0] == 0 || counts.Any(c => c != counts[0]))
        {
            throw new ModelLoadException(
                $"{string.Join(", ", keys[..^1])} and {keys[^1]} have {string.Join(", ", counts)} entries; expected as many of each, and at least one.");
        }
    }

    /// <summary>A number of stages that is told beside their lists is theirs.</summary>
    public static void Stage(ModelConfiguration configuration, string key, int count)
    {
        if (configuration.WholeNumber(key, count) is var stages && stages != count)
        {
            throw new ModelLoadException(Invariant($"{key} is {stages}, but the lists of stages have {count} entries; expected the same number."));
        }
    }

    /// <summary>Numbers that count or measure something are at least 1.</summary>
    public static void Positive(params ReadOnlySpan<(string Key, int Value)> numbers)
    {
        foreach (var (key, value) in numbers)
        {
            if (value < 1)
            {
                throw new ModelLoadException(Invariant($"{key} is {value}, expected at least 1."));
            }
        }
    }

    /// <summary>A picture holds at least one patch.</summary>
    public static void Patches((int Height, int Width) image, (int Height, int Width) patch)
    {
        if (patch.Height < 1 || patch.Width < 1 || image.Height < patch.Height || image.Width < patch.Width)
        {
            throw new ModelLoadException(
                $"image_size {image.Height}x{image.Width} is smaller than one patch of {patch.Height}x{patch.Width}; expected an image of at least one patch.");
        }
    }
}
