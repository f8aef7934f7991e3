using Vizsla.Datasets.Readers;

namespace Vizsla.Datasets.Storage;

/// <summary>Picture files below one folder with their class numbers: the table of a folder dataset, two small arrays for any number of pictures.</summary>
internal sealed class ImageFileTable : Table
{
    private const int ImageColumn = 0;
    private readonly string _root;
    private readonly string[] _paths;
    private readonly int[]? _labels;

    /// <param name="root">Folder that the paths lie below; left out of the fingerprint, so that a moved folder keeps it.</param>
    /// <param name="paths">Full paths.</param>
    /// <param name="label">The classes, or null for pictures without labels.</param>
    /// <param name="labels">Class numbers, -1 where a row has none; null where <paramref name="label"/> is.</param>
    public ImageFileTable(string root, string[] paths, ClassLabel? label, int[]? labels)
        : base(Features.ForImages(label))
    {
        (_root, _paths, _labels) = (root, paths, labels);
    }

    public override int Count => _paths.Length;

    public override object? Value(int row, int column)
    {
        if (column == ImageColumn)
        {
            return new ImageSource(_paths[row]);
        }

        return _labels is null || _labels[row] < 0 ? null : (long)_labels[row];
    }

    public override void AddTo(Fingerprint hash)
    {
        for (var row = 0; row < _paths.Length; row++)
        {
            hash.Add(Path.GetRelativePath(_root, _paths[row]).Replace(Path.DirectorySeparatorChar, '/'));
            hash.Add(RealFile.Length(_paths[row]));
            hash.Add(_labels is null ? -1 : _labels[row]);
        }
    }
}
