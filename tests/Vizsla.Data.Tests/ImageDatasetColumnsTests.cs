using Vizsla.Datasets;
using Vizsla.Datasets.Drawing;
using Vizsla.Primitives;

namespace Vizsla.Tests;

public sealed class ImageDatasetColumnsTests
{
    private static readonly ImageDataset s_pets = ImageDatasetBuilder
        .From(new[] { ("a.jpg", "dog", 3), ("b.jpg", "cat", 7), ("c.jpg", "dog", 1) })
        .WithImage(p => p.Item1).WithLabel(p => p.Item2).With("age", p => p.Item3).Build("train");

    [Fact]
    public void A_dataset_is_built_from_any_sequence()
    {
        Assert.Equal(["image", "label", "age"], s_pets.Features.Names);
        Assert.Equal(["cat", "dog"], s_pets.ClassNames);
        Assert.Equal("b.jpg", s_pets[1].Path);
        Assert.Equal([1, 0, 1], Enumerable.Range(0, 3).Select(s_pets.Label));
        Assert.Equal(7L, s_pets.Value(1, "age"));
        Assert.Equal("train", s_pets.Split);
    }

    [Fact]
    public void A_decoded_picture_is_stored_as_png()
    {
        using var image = AnimalPainter.Paint("fish", 20, new Rng(1));

        var dataset = ImageDatasetBuilder.From([image]).WithImage(i => i).Build();
        using var read = dataset.LoadImage(0);

        Assert.True(image.Pixels.SequenceEqual(read.Pixels));
    }

    [Fact]
    public void Filter_keeps_the_rows_that_fit()
    {
        var old = s_pets.Filter(row => (long)row["age"]! > 2);

        Assert.Equal(["a.jpg", "b.jpg"], Enumerable.Range(0, old.Count).Select(r => old[r].Path));
    }

    [Fact]
    public void Map_changes_and_adds_columns_and_keeps_the_rest()
    {
        var mapped = s_pets.Select([2, 0]).Map(row => new Dictionary<string, object?> { ["age"] = (long)row["age"]! * 2, ["name"] = $"pet {row["age"]}" });

        Assert.Equal([2L, 6L], Enumerable.Range(0, 2).Select(r => mapped.Value(r, "age")));
        Assert.Equal("pet 1", mapped.Value(0, "name"));
        Assert.Equal(new ValueFeature("string"), mapped.Features["name"]);
        Assert.Equal("c.jpg", mapped[0].Path);
        Assert.Equal(1, mapped.Label(0));
    }

    [Fact]
    public void Map_takes_a_new_type_where_the_values_ask_for_one()
    {
        var mapped = s_pets.Map(row => new Dictionary<string, object?> { ["age"] = (long)row["age"]! / 2.0 });

        Assert.Equal(new ValueFeature("float64"), mapped.Features["age"]);
        Assert.Equal(1.5, mapped.Value(0, "age"));
    }

    [Fact]
    public void Columns_are_renamed_and_removed()
    {
        var renamed = s_pets.RenameColumn("age", "years").RemoveColumns("label");

        Assert.Equal(["image", "years"], renamed.Features.Names);
        Assert.Equal(3L, renamed.Value(0, "years"));
        Assert.Equal("The dataset has a column 'label' already. Columns: image, label, age.", Assert.Throws<DatasetException>(() => s_pets.RenameColumn("age", "label")).Message);
    }

    [Fact]
    public void Text_becomes_classes_and_the_other_way_round()
    {
        var text = s_pets.Map(row => new Dictionary<string, object?> { ["kind"] = (long)row["label"]! == 1 ? "dog" : "cat" });

        var classes = text.ClassEncodeColumn("kind");
        var back = classes.CastColumn("kind", new ValueFeature("string"));

        Assert.Equal(new ClassLabel(["cat", "dog"]), classes.Features["kind"]);
        Assert.Equal(1L, classes.Value(0, "kind"));
        Assert.Equal("1", back.Value(0, "kind"));
    }

    [Fact]
    public void A_value_that_does_not_fit_is_refused()
    {
        var error = Assert.Throws<DatasetException>(() => s_pets.CastColumn("age", new ClassLabel(["only"])));

        Assert.Equal("Class label 3 greater than configured num_classes 1", error.Message);
    }

    [Fact]
    public void Classes_are_counted_unused_ones_too()
    {
        var dataset = ImageDatasetBuilder.From(["cat", "cat"]).WithLabel(n => n, ["ape", "cat"]).Build();

        Assert.Equal([KeyValuePair.Create("ape", 0), KeyValuePair.Create("cat", 2)], dataset.ClassCounts());
    }

    [Fact]
    public void Datasets_of_different_columns_are_not_joined()
    {
        var error = Assert.Throws<DatasetException>(() => ImageDataset.Concatenate(s_pets, s_pets.RemoveColumns("age")));

        Assert.StartsWith("Datasets of different columns cannot be joined: ", error.Message, StringComparison.Ordinal);
    }
}
