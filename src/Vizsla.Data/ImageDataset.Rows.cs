using Vizsla.Datasets;
using Vizsla.Datasets.Splits;
using Vizsla.Datasets.Storage;
using Vizsla.Primitives;

namespace Vizsla;

/// <content>Other rows, the same columns: selecting, shuffling, splitting, joining.</content>
public sealed partial class ImageDataset
{
    /// <summary>The rows at these positions, in this order.</summary>
    /// <param name="rows">Positions from 0 to Count - 1, repeated or not.</param>
    /// <exception cref="ArgumentOutOfRangeException">A position is outside.</exception>
    /// <remarks>Source: <c>Dataset.select</c>.</remarks>
    public ImageDataset Select(IEnumerable<int> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var stored = rows.Select(row => row >= 0 && row < Count
            ? StoredRow(row)
            : throw new ArgumentOutOfRangeException(nameof(rows), Invariant($"Index {row} out of range for dataset of size {Count}.")));
        return WithRows([.. stored]);
    }

    /// <summary>The first rows, all where there are fewer.</summary>
    /// <param name="count">How many.</param>
    public ImageDataset Take(int count) => Select(Enumerable.Range(0, Math.Clamp(count, 0, Count)));

    /// <summary>All but the first rows.</summary>
    /// <param name="count">How many to leave out.</param>
    public ImageDataset Skip(int count)
    {
        var start = Math.Clamp(count, 0, Count);
        return Select(Enumerable.Range(start, Count - start));
    }

    /// <summary>All rows in random order.</summary>
    /// <param name="seed">Any 64-bit seed.</param>
    /// <remarks>Source: <c>Dataset.shuffle(seed)</c>. Parity: the same order.</remarks>
    public ImageDataset Shuffle(ulong seed) => Select(new NumpyGenerator(seed).Permutation(Count));

    /// <summary>All rows in an order that a generator gives, which moves on.</summary>
    /// <param name="global">Stands for numpy's global generator, which Python asks where no seed is given.</param>
    /// <remarks>Source: <c>Dataset.shuffle()</c> after <c>numpy.random.seed</c>. Parity: the same orders, call after call.</remarks>
    public ImageDataset Shuffle(NumpyRandomState global)
    {
        ArgumentNullException.ThrowIfNull(global);
        return Shuffle(global.NextGlobalSeed());
    }

    /// <summary>Two parts, <c>train</c> and <c>test</c>.</summary>
    /// <param name="testSize">Fraction or number of rows; null with <paramref name="trainSize"/> null means 0.25.</param>
    /// <param name="trainSize">Fraction or number of rows; null takes the rest.</param>
    /// <param name="seed">Any 64-bit seed.</param>
    /// <param name="shuffle">False keeps the order: the first rows are <c>train</c>, the following ones <c>test</c>.</param>
    /// <param name="stratifyByColumn">Class column whose shares both parts keep; null for none.</param>
    /// <exception cref="DatasetException">A size is outside, a class is too small, or the column holds no classes.</exception>
    /// <remarks>Source: <c>Dataset.train_test_split</c>. Parity: the same rows in the same order, texts of the errors included. scikit-learn's split of the same seed differs: <see cref="StratifiedSplit"/>.</remarks>
    public DatasetDict TrainTestSplit(SplitSize? testSize = null, SplitSize? trainSize = null, ulong seed = 0, bool shuffle = true, string? stratifyByColumn = null)
    {
        var (trainCount, testCount) = SplitSizes.Resolve(Count, testSize, trainSize);
        if (!shuffle && stratifyByColumn is not null)
        {
            throw new DatasetException("Stratified train/test split is not implemented for `shuffle=False`");
        }

        var (train, test) = !shuffle
            ? ([.. Enumerable.Range(0, trainCount)], [.. Enumerable.Range(trainCount, testCount)])
            : stratifyByColumn is null
                ? ShuffleSplit.Take(new NumpyGenerator(seed).Permutation(Count), trainCount, testCount)
                : DrawStratified(stratifyByColumn, trainCount, testCount, seed);
        return new(KeyValuePair.Create(SplitNames.Train, Select(train)), KeyValuePair.Create(SplitNames.Test, Select(test)));
    }

    /// <summary>Two parts in an order that a generator gives, which moves on.</summary>
    /// <param name="global">Stands for numpy's global generator, which Python asks where no seed is given.</param>
    /// <param name="testSize">Fraction or number of rows; null with <paramref name="trainSize"/> null means 0.25.</param>
    /// <param name="trainSize">Fraction or number of rows; null takes the rest.</param>
    /// <param name="stratifyByColumn">Class column whose shares both parts keep; null for none.</param>
    /// <exception cref="DatasetException">As with a seed.</exception>
    public DatasetDict TrainTestSplit(NumpyRandomState global, SplitSize? testSize = null, SplitSize? trainSize = null, string? stratifyByColumn = null)
    {
        ArgumentNullException.ThrowIfNull(global);
        return TrainTestSplit(testSize, trainSize, global.NextGlobalSeed(), stratifyByColumn: stratifyByColumn);
    }

    /// <summary>One of several parts of nearly equal size.</summary>
    /// <param name="count">Number of parts.</param>
    /// <param name="index">Which part, from 0.</param>
    /// <param name="contiguous">True for neighbouring rows, the first parts one longer; false for every count-th row.</param>
    /// <exception cref="ArgumentOutOfRangeException">No such part, or a contiguous part without rows.</exception>
    /// <remarks>Source: <c>Dataset.shard</c>.</remarks>
    public ImageDataset Shard(int count, int index, bool contiguous = true)
    {
        if (index < 0 || index >= count)
        {
            throw new ArgumentOutOfRangeException(nameof(index), "index should be in [0, num_shards-1]");
        }

        if (!contiguous)
        {
            return Select(Enumerable.Range(0, Count).Where(row => row % count == index));
        }

        var (each, extra) = Math.DivRem(Count, count);
        var start = (each * index) + Math.Min(index, extra);
        var length = each + (index < extra ? 1 : 0);
        return length > 0
            ? Select(Enumerable.Range(start, length))
            : throw new ArgumentOutOfRangeException(nameof(index), Invariant($"Index {start} out of range for dataset of size {Count}."));
    }

    /// <summary>All rows sorted by columns; rows that compare equal keep their order, missing values come last.</summary>
    /// <param name="columns">Columns by importance, each ascending or descending.</param>
    /// <exception cref="DatasetException">No such column, or one whose values have no order.</exception>
    /// <remarks>Source: <c>Dataset.sort</c>; text by code points.</remarks>
    public ImageDataset Sort(params ReadOnlySpan<(string Column, bool Descending)> columns)
    {
        var order = Enumerable.Range(0, Count).OrderBy(_ => 0);
        foreach (var (column, descending) in columns)
        {
            object?[] values = [.. Enumerable.Range(0, Count).Select(row => Value(row, column))];
            order = order.ThenBy(row => values[row] is null);
            order = descending ? order.ThenByDescending(row => values[row], ValueComparer.Instance) : order.ThenBy(row => values[row], ValueComparer.Instance);
        }

        return Select(order);
    }

    /// <summary>Rows of several datasets, one after the other.</summary>
    /// <param name="datasets">At least one; the columns must be the same.</param>
    /// <exception cref="DatasetException">The columns differ.</exception>
    /// <remarks>Source: <c>concatenate_datasets</c>.</remarks>
    public static ImageDataset Concatenate(params IReadOnlyList<ImageDataset> datasets)
    {
        ArgumentNullException.ThrowIfNull(datasets);
        ArgumentOutOfRangeException.ThrowIfZero(datasets.Count, nameof(datasets));
        return Concatenate(datasets, datasets.Select(d => d.Split).Distinct().Count() == 1 ? datasets[0].Split : null);
    }

    /// <summary>Rows of several datasets by turns, or at random.</summary>
    /// <param name="datasets">At least one; the columns must be the same.</param>
    /// <param name="probabilities">How often each dataset is drawn from, summing to 1; null takes turns.</param>
    /// <param name="seed">Seed of the drawing.</param>
    /// <param name="untilAllExhausted">False stops at the end of the shortest; true starts the shorter ones again until each row was there once.</param>
    /// <exception cref="DatasetException">The columns differ.</exception>
    /// <remarks>Source: <c>interleave_datasets</c>. Parity: the same order.</remarks>
    public static ImageDataset Interleave(IReadOnlyList<ImageDataset> datasets, IReadOnlyList<double>? probabilities = null, ulong seed = 0, bool untilAllExhausted = false)
    {
        ArgumentNullException.ThrowIfNull(datasets);
        int[] sizes = [.. datasets.Select(d => d.Count)];
        return Concatenate(datasets).Select(RowOrders.Interleave(sizes, probabilities, seed, untilAllExhausted));
    }

    internal static ImageDataset Concatenate(IReadOnlyList<ImageDataset> parts, string? split)
    {
        var features = parts[0].Features;
        if (parts.FirstOrDefault(p => !p.Features.Equals(features)) is { } other)
        {
            throw new DatasetException($"Datasets of different columns cannot be joined: {features.ToJson().ToJsonString()} and {other.Features.ToJson().ToJsonString()}. Rename or cast the columns first.");
        }

        return parts.Count == 1
            ? new(parts[0]._table, parts[0]._rows, split) { Transform = parts[0].Transform, HubName = parts[0].HubName }
            : new(new JoinedTable(features, [.. parts.Select(p => (p._table, p._rows))]), split: split)
            {
                Transform = parts[0].Transform,
                HubName = parts.All(p => p.HubName == parts[0].HubName) ? parts[0].HubName : null,
            };
    }

    private (int[] Train, int[] Test) DrawStratified(string column, int trainCount, int testCount, ulong seed)
    {
        if (Features.IndexOf(column) < 0)
        {
            throw new DatasetException($"Key {column} not found in dict_keys([{string.Join(", ", Features.Names.Select(n => $"'{n}'"))}])");
        }

        if (Features[column] is not ClassLabel label)
        {
            throw new DatasetException($"Stratifying by column is only supported for ClassLabel column, and column {column} is {FeaturesJson.TypeName(Features[column])}.");
        }

        long[] numbers = [.. Enumerable.Range(0, Count).Select(row => Value(row, column) as long? ?? throw new DatasetException(Invariant($"Row {row} has no value in '{column}' to stratify by.")))];
        var used = numbers.Distinct().Order().ToList();
        int[] classes = [.. numbers.Select(n => used.BinarySearch(n))];
        var counts = new int[used.Count];
        foreach (var number in classes)
        {
            counts[number]++;
        }

        return counts.All(c => c > 1)
            ? StratifiedDraw.Draw(classes, counts, trainCount, testCount, new NumpyGenerator(seed), multiplyFirst: true)
            : throw new DatasetException($"The least populated class in {column} column has only 1 member, which is too few. The minimum number of groups for any class cannot be less than 2.");
    }

    private ImageDataset WithRows(int[] rows) => new(_table, rows, Split) { Transform = Transform, HubName = HubName, Prepared = Prepared };
}
