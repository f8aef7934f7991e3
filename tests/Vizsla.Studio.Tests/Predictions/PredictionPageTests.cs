using Microsoft.Extensions.DependencyInjection;
using Vizsla.Inference;
using Vizsla.Studio.Pictures;
using Vizsla.Studio.Predictions;
using Vizsla.Testing;

namespace Vizsla.Studio.Tests.Predictions;

public sealed class PredictionPageTests
{
    [Fact]
    public async Task Scores_are_those_of_the_temperature_in_the_model_s_folder_unless_it_was_fitted_for_other_weights()
    {
        using var folder = new TemporaryFolder();
        var model = SmallModel.Save(folder["pets"]);
        var plain = await AskAsync(model);
        using (var classifier = ImageClassifier.FromPretrained(model))
        {
            new Calibration(2.5, "validation", 12, 0.2, 0.1, 0.4, Calibration.HashOf(classifier)).Save(model);
        }

        var calibrated = await AskAsync(model);
        new Calibration(2.5, "validation", 12, 0.2, 0.1, 0.4, "others").Save(model);
        var others = await AskAsync(model);

        static double Odds(PictureAnswer answer) => Math.Log(answer.Classes[0].Score / answer.Classes[^1].Score);
        Assert.Equal((2.5, 0.4), (calibrated.Calibration!.Temperature, calibrated.Calibration.Threshold));
        Assert.Equal(Odds(plain.Answer) / 2.5, Odds(calibrated.Answer), 1e-4);
        Assert.Null(plain.Calibration);
        Assert.Null(others.Calibration);
        Assert.Equal(plain.Answer.Classes, others.Answer.Classes);
    }

    private static async Task<(PictureAnswer Answer, Calibration? Calibration)> AskAsync(string model)
    {
        await using var server = await RunningServer.StudioAsync(new StudioOptions { Models = [model] });
        var room = server.Application.Services.GetRequiredService<PredictionRoom>();
        return (await room.PredictAsync("pets", PictureStore.Sample), (await room.DescribeAsync("pets")).Calibration);
    }

    [Fact]
    public void The_table_as_a_file_has_every_class_and_leaves_the_label_out_below_the_threshold()
    {
        var sure = new PredictionItem("a,b.jpg", "1", null);
        sure.Finish(new([new("dog", 0.75f, 1), new("=cat", 0.25f, 0)], TimeSpan.Zero));
        var unsure = new PredictionItem("c.jpg", "2", null);
        unsure.Finish(new([new("=cat", 0.5f, 0), new("dog", 0.5f, 1)], TimeSpan.Zero));

        var text = PredictionCsv.Write([sure, unsure, new("d.txt", null, "No picture.")], ["=cat", "dog"], 0.6);

        Assert.Equal("file,label,score,error,'=cat,dog\n\"a,b.jpg\",dog,0.75,,0.25,0.75\nc.jpg,,0.5,,0.5,0.5\nd.txt,,,No picture.,,\n", text);
    }

    [Fact]
    public void Pictures_of_a_page_are_kept_by_one_name_and_a_name_nobody_gave_keeps_none()
    {
        var batches = new PredictionBatches();

        var name = batches.Keep(null, [("a.jpg", "1")]);

        Assert.Equal(name, batches.Keep(name, [("a.jpg", "1"), ("b.jpg", "2")]));
        Assert.Equal([("a.jpg", "1"), ("b.jpg", "2")], batches.Find(name));
        Assert.Empty(batches.Find("nobody's"));
        Assert.NotEqual("nobody's", batches.Keep("nobody's", []));
    }

    [Fact]
    public void The_code_names_the_model_as_it_was_typed()
    {
        var code = PredictionCode.Of("my pets", "runs/my \"pets\"", "http://127.0.0.1:7860/", 3).ToDictionary(c => c.Language, c => c.Code);

        Assert.Contains("""ImageClassifier.FromPretrained("runs/my \"pets\"")""", code["C#"], StringComparison.Ordinal);
        Assert.Contains("""model="runs/my \"pets\"")""", code["Python"], StringComparison.Ordinal);
        Assert.Equal("""curl --form "file=@photo.jpg" "http://127.0.0.1:7860/api/predict?model=my%20pets&top_k=3" """.TrimEnd(), code["curl"]);
    }
}
