using Vizsla.Studio.Trainings;
using Vizsla.Testing;
using Vizsla.Training.Arguments;

namespace Vizsla.Studio.Tests.Trainings;

public sealed class TrainingFormTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TrainingProgram _program;

    public TrainingFormTests()
    {
        Directory.CreateDirectory(_folder["photos"]);
        _folder.WriteText("fast.jsonc", """{ "transforms": "processor", "eval_strategy": "epoch", "save_strategy": "epoch" }""");
        _program = new(["vizsla"], new Dictionary<string, string> { ["fast"] = _folder["fast.jsonc"] }, [.. ArgumentTable.KnownNames, "eval_split", "output", "dataset"]);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_form_becomes_the_words_that_are_typed()
    {
        var form = Form("dataset=photos", "model=vit-nano", "from_scratch=true", "image_size=32", "config=fast", "learning_rate=1e-3", "more=--load_best_model_at_end true --run_name 'a b'", "name=my run");

        Assert.Empty(form.Problems(_program, _folder.Path));
        Assert.Equal(
            ["train", "--dataset", "photos", "--model", "vit-nano", "--from_scratch", "--image_size", "32", "--config", "fast", "--learning_rate", "1e-3", "--load_best_model_at_end", "true", "--run_name", "a b", "--output", Path.Combine("runs", "my run")],
            form.Words("runs"));
        Assert.Equal(form.Fields, TrainingForm.From(form.ToAddress().Where(f => f.Value is not null).Select(f => KeyValuePair.Create(f.Key, (string)f.Value!))).Fields);
    }

    [Theory]
    [InlineData("dataset=", "A data set is needed: a folder, or owner/name on the Hub.")]
    [InlineData("dataset=absent", "There is no folder 'absent' where the studio was started, and a name on the Hub is owner/name.")]
    [InlineData("from_scratch=true", "Random weights go with the name of a model's size, such as vit-tiny, got ''; 'vizsla models' lists them.")]
    [InlineData("name=../out", "'../out' cannot be the name of a run: expected up to 100 letters, digits, spaces and '.', '-', '_', '+', '=', not beginning with '.' or '_'.")]
    [InlineData("config=slow", "There is no recipe 'slow'. Recipes: fast.")]
    [InlineData("num_train_epochs=many", "num_train_epochs is \"many\", expected a number.")]
    [InlineData("more=--weight_deca 1", "'--weight_deca' is not an option of 'vizsla train': expected options as they are typed there, such as --weight_decay 0.01. Did you mean 'weight_decay'?")]
    [InlineData("more=--output elsewhere", "'--output' has a field of its own, or belongs to the queue.")]
    [InlineData("more=--run_name 'a", "A quotation mark among the further arguments has no partner.")]
    [InlineData("more=--seed 1", "'--seed' is given twice.")]
    [InlineData("image_size=big", "The size of the pictures is a number of pixels, got 'big'.")]
    public void What_is_wrong_is_said_before_anything_starts(string change, string problem)
    {
        var fields = change.Split('=', 2);
        var form = Form("dataset=photos", "name=a", "seed=3").With(fields[0], fields[1]);

        Assert.Equal([problem], form.Problems(_program, _folder.Path));
    }

    private static TrainingForm Form(params string[] fields) => TrainingForm.From(fields.Select(f => f.Split('=', 2)).Select(f => KeyValuePair.Create(f[0], f[1])));
}
