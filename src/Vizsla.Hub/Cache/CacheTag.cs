namespace Vizsla.Hub.Cache;

/// <summary>Marks a folder as a cache, so that backup programs may skip it.</summary>
/// <remarks>Source: huggingface_hub <c>_create_cachedir_tag</c>; the same bytes.</remarks>
internal static class CacheTag
{
    private const string Text =
        "Signature: 8a477f597d28d172789f06886806bc55\n"
        + "# This file is a cache directory tag created by huggingface_hub.\n"
        + "# For information about cache directory tags, see:\n"
        + "#\thttps://bford.info/cachedir/\n";

    public static void Write(string folder)
    {
        var path = Path.Combine(folder, "CACHEDIR.TAG");
        if (!File.Exists(path))
        {
            AtomicFile.Write(path, Text);
        }
    }
}
