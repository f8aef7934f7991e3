using Vizsla.Studio.Evaluation;
using Vizsla.Studio.Layout;

namespace Vizsla.Studio.Tests.Evaluation;

public sealed class EvaluationTests
{
    private static readonly RunEvaluation Small = new("test", ["cat", "dog", "owl"],
        [Outcome(0, 0, 0, 0.9), Outcome(1, 0, 1, 0.8), Outcome(2, 1, 1, 0.4), Outcome(3, 1, 0, 0.55), Outcome(4, 2, 2, 1)]);

    [Theory]
    [InlineData(null, null, null, null, null, "1 3 2 0 4")]
    [InlineData("misclassified", null, null, null, null, "1 3")]
    [InlineData("right", null, null, null, "sure", "4 0 2")]
    [InlineData(null, "dog", null, null, "unsure", "2 3")]
    [InlineData(null, null, 50, 85, "sure", "1 3")]
    [InlineData("nonsense", "nonsense", -5, 500, "nonsense", "1 3 2 0 4")]
    public void Pictures_are_chosen_by_outcome_class_and_confidence(string? only, string? name, int? from, int? to, string? order, string rows) =>
        Assert.Equal(rows, string.Join(' ', OutcomeFilter.Parse(only, name, from, to, order, Small).Apply(Small).Select(o => o.Row)));

    [Fact]
    public void Precision_and_recall_count_each_picture_once()
    {
        Assert.Equal([("cat", 2, 0.5, 0.5), ("dog", 2, 0.5, 0.5), ("owl", 1, 1.0, 1.0)], Small.Classes.Select(c => (c.Name, c.Count, c.Precision, c.Recall)));
        Assert.Equal([(0, 1, 1), (1, 0, 1)], Small.Confusions(5));
    }

    [Fact]
    public void A_matrix_of_a_thousand_classes_shows_those_that_are_confused_most_or_those_around_a_place()
    {
        var outcomes = Enumerable.Range(0, 1000).Select(i => Outcome(i, i, i, 0.9)).Append(Outcome(1000, 700, 3, 0.9)).Append(Outcome(1001, 700, 3, 0.9)).Append(Outcome(1002, 12, 13, 0.9));
        var evaluation = new RunEvaluation("test", [.. Enumerable.Range(0, 1000).Select(i => $"class {i}")], [.. outcomes]);

        var confused = ConfusionWindow.Parse(null, 1000);
        var around = ConfusionWindow.Parse("990-0", 1000);

        Assert.Equal([3, 12, 13, 700], confused.Classes(evaluation).Rows);
        Assert.Equal(Enumerable.Range(976, 24), around.Classes(evaluation).Rows);
        Assert.Equal(Enumerable.Range(0, 24), around.Classes(evaluation).Columns);
        Assert.Equal(["confused", "990-0"], new[] { confused, around }.Select(w => w.ToString()));
        Assert.Equal("confused", ConfusionWindow.Parse("all", 1000).ToString());
        Assert.Equal("confused", ConfusionWindow.Parse("1000-0", 1000).ToString());
        Assert.Equal("all", ConfusionWindow.Parse(null, 37).ToString());
        Assert.Equal("confused", ConfusionWindow.Parse("confused", 37).ToString());
    }

    [Fact]
    public void The_matrix_as_a_picture_is_green_on_its_diagonal_and_red_beside_it()
    {
        using var image = EvaluationEndpoints.Draw(Small);

        Assert.Equal((3, 3), (image.Width, image.Height));
        Assert.True(image.Row(0)[1] > image.Row(0)[0]);
        Assert.True(image.Row(0)[3] > image.Row(0)[4]);
        Assert.Equal([255, 255, 255], image.Row(0)[6..9].ToArray());
    }

    [Theory]
    [InlineData(false, 0.0005, 0.0015)]
    [InlineData(true, -3.5, -2.5)]
    public void A_constant_is_drawn_in_the_middle_whatever_its_rounding_errors(bool logarithmic, double from, double to)
    {
        var figure = Figure.Lines([new("a", "#000", [(1, 0.001), (2, 0.001 + 1e-16), (3, 0.001)])], "step", logarithmic);

        var range = figure.Layout["yaxis"]!["range"]!.AsArray();
        Assert.Equal(from, (double)range[0]!, 1e-9);
        Assert.Equal(to, (double)range[1]!, 1e-9);
        Assert.Null(Figure.Lines([new("a", "#000", [(1, 0.001), (2, 0.002)])], "step").Layout["yaxis"]!["range"]);
    }

    [Fact]
    public void A_single_point_is_drawn_as_a_point()
    {
        var figure = Figure.Lines([new("a", "#000", [(1, 2)]), new("b", "#000", [(1, 2), (2, 3)])], "step");

        Assert.Equal(["markers", "lines+markers"], figure.Data.Select(line => (string?)line!["mode"]));
    }

    [Fact]
    public void A_chart_as_a_table_has_a_line_for_each_point_and_no_formula()
    {
        var figure = Figure.Lines([new("=a", "#000", [(1, 2.5), (2, double.NaN)]), new("=a", "#000", [(1, 9)], Pale: true), new("b, c", "#000", [(1, 3)])], "step");

        Assert.Equal("series,x,y\n'=a,1,2.5\n'=a,2,\n\"b, c\",1,3\n", figure.ToCsv());
    }

    private static PictureOutcome Outcome(int row, int label, int predicted, double confidence) =>
        new(row, label, predicted, confidence, label == predicted ? 1 - confidence : 1 + confidence);
}
