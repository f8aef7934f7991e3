using System.Numerics;

namespace Vizsla.Datasets.Checks;

/// <summary>Finds pictures that are there more than once, by content and by look.</summary>
/// <remarks>
/// Two hashes of at most d differing bits agree whole in one of d + 1 bands of their bits, so only pictures that share a band are compared: nothing is missed, and a hundred thousand
/// pictures take seconds instead of five thousand million comparisons.
/// </remarks>
internal sealed class CopySearch
{
    private readonly IReadOnlyList<PictureFacts> _pictures;
    private readonly int[] _group;

    private CopySearch(IReadOnlyList<PictureFacts> pictures)
    {
        _pictures = pictures;
        _group = [.. Enumerable.Range(0, pictures.Count)];
    }

    /// <summary>Groups files of the same content.</summary>
    /// <param name="pictures">The pictures.</param>
    /// <returns>Positions of each group of two or more, ascending; groups by their first.</returns>
    public static IReadOnlyList<int[]> Exact(IReadOnlyList<PictureFacts> pictures)
    {
        var search = new CopySearch(pictures);
        search.JoinSameContent();
        return search.Groups();
    }

    /// <summary>Groups pictures of the same content or look; a picture that looks like two others joins them.</summary>
    /// <param name="pictures">The pictures; those that cannot be read are only compared by content.</param>
    /// <param name="distance">Most bits in which the hashes of two copies differ, 0 to 16.</param>
    /// <returns>As <see cref="Exact"/>.</returns>
    public static IReadOnlyList<int[]> Alike(IReadOnlyList<PictureFacts> pictures, int distance)
    {
        var search = new CopySearch(pictures);
        var different = search.JoinSameHash(search.JoinSameContent());
        search.JoinNear(different, distance);
        return search.Groups();
    }

    // One picture of each content.
    private List<int> JoinSameContent()
    {
        var first = new Dictionary<string, int>(StringComparer.Ordinal);
        var different = new List<int>();
        for (var i = 0; i < _pictures.Count; i++)
        {
            if (_pictures[i].Sha256.Length == 0 || first.TryAdd(_pictures[i].Sha256, i))
            {
                different.Add(i);
            }
            else
            {
                Join(first[_pictures[i].Sha256], i);
            }
        }

        return different;
    }

    // Ten thousand black frames have one hash: comparing each with one of each look is enough.
    private List<int> JoinSameHash(List<int> pictures)
    {
        var looks = new Dictionary<ulong, List<int>>();
        foreach (var i in pictures)
        {
            if (_pictures[i].Signature is not { } signature)
            {
                continue;
            }

            if (!looks.TryGetValue(signature.Hash, out var known))
            {
                looks.Add(signature.Hash, known = []);
            }

            var same = known.FindIndex(k => _pictures[k].Signature?.LooksLike(signature) == true);
            if (same >= 0)
            {
                Join(known[same], i);
            }
            else
            {
                known.Add(i);
            }
        }

        return [.. looks.Values.SelectMany(l => l)];
    }

    private void JoinNear(List<int> pictures, int distance)
    {
        PictureSignature[] signatures = [.. pictures.Select(i => _pictures[i].Signature!)];
        var keys = new ulong[signatures.Length];
        var order = new int[signatures.Length];
        for (var band = 0; band <= distance; band++)
        {
            var (from, to) = (64 * band / (distance + 1), 64 * (band + 1) / (distance + 1));
            var mask = to - from == 64 ? ulong.MaxValue : (1UL << (to - from)) - 1;
            for (var i = 0; i < keys.Length; i++)
            {
                (keys[i], order[i]) = (signatures[i].Hash >> from & mask, i);
            }

            Array.Sort(keys, order);
            for (int start = 0, end; start < keys.Length; start = end)
            {
                end = start + 1;
                while (end < keys.Length && keys[end] == keys[start])
                {
                    end++;
                }

                JoinRun(pictures, signatures, order.AsSpan(start, end - start), distance);
            }
        }
    }

    private void JoinRun(List<int> pictures, PictureSignature[] signatures, ReadOnlySpan<int> run, int distance)
    {
        for (var i = 0; i < run.Length; i++)
        {
            var one = signatures[run[i]];
            for (var j = i + 1; j < run.Length; j++)
            {
                var other = signatures[run[j]];
                if (BitOperations.PopCount(one.Hash ^ other.Hash) <= distance && one.LooksLike(other))
                {
                    Join(pictures[run[i]], pictures[run[j]]);
                }
            }
        }
    }

    private List<int[]> Groups() =>
        [.. Enumerable.Range(0, _group.Length).GroupBy(Root).Where(g => g.Skip(1).Any()).Select(g => g.ToArray()).OrderBy(g => g[0])];

    // The lowest position of a group is its root, so that the result does not depend on the order of comparing.
    private void Join(int a, int b)
    {
        (a, b) = (Root(a), Root(b));
        _group[Math.Max(a, b)] = Math.Min(a, b);
    }

    private int Root(int i)
    {
        while (_group[i] != i)
        {
            _group[i] = _group[_group[i]];
            i = _group[i];
        }

        return i;
    }
}
