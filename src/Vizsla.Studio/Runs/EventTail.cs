using System.Text;

namespace Vizsla.Studio.Runs;

/// <summary>Reads the lines that were added to a growing file since the last look.</summary>
internal sealed class EventTail(string path)
{
    private long _position;

    /// <summary>The whole lines added since; a line still being written is left for the next look.</summary>
    /// <param name="restarted">True when the file got shorter: what was read before is void.</param>
    public IReadOnlyList<string> Read(out bool restarted)
    {
        restarted = false;
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (file.Length < _position)
            {
                restarted = true;
                _position = 0;
            }

            var added = new byte[checked((int)(file.Length - _position))];
            file.Position = _position;
            var read = file.ReadAtLeast(added, added.Length, throwOnEndOfStream: false);
            var end = Array.LastIndexOf(added, (byte)'\n', read - 1, read);
            if (end < 0)
            {
                return [];
            }

            _position += end + 1;
            return Encoding.UTF8.GetString(added, 0, end).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Absent, or being replaced: the next look may find it.
            return [];
        }
    }
}
