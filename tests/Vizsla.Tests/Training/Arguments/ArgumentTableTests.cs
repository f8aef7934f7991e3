using System.Text.Json.Nodes;
using Vizsla.Primitives;
using Vizsla.Testing;
using Vizsla.Training.Arguments;

namespace Vizsla.Tests.Training.Arguments;

/// <summary>Walks the list of every argument that either major of the Python Trainer has.</summary>
public sealed class ArgumentTableTests
{
    // Where our default is not 5.x's: docs/parity.md says why.
    private static readonly string[] OwnDefaults =
        ["gradient_checkpointing", "output_dir", "do_train", "do_eval", "do_predict", "bf16", "dataloader_num_workers", "restore_callback_states_from_checkpoint"];

    [Fact]
    public void Every_argument_of_Python_works_or_is_refused_in_a_sentence()
    {
        foreach (var name in Contract()["fields"]!.AsObject().Select(f => f.Key).Where(name => name != "adafactor"))
        {
            var works = ArgumentTable.Find(name) is not null;
            var refused = ArgumentTable.Refused.ContainsKey(name);

            Assert.True(works ^ refused, $"{name}: works {works}, refused {refused}");
        }
    }

    [Fact]
    public void Defaults_are_those_of_the_last_major()
    {
        foreach (var (name, versions) in Contract()["fields"]!.AsObject())
        {
            if (ArgumentTable.Find(name) is not { } field || field.Name != name || OwnDefaults.Contains(name))
            {
                continue;
            }

            var (old, current) = (versions!["4.57.6"], versions["5.23.0"]);
            var expected = (current ?? old)!["default"];

            // A list in Python may be written as a single text.
            var actual = ArgumentText.ToJson(field.Default);
            var text = PythonJson.Serialize(actual is JsonArray { Count: 1 } one ? one[0] : actual, indent: null);
            Assert.True(Same(PythonJson.Serialize(expected, indent: null), text), $"{name}: {text}, expected {expected}");
        }
    }

    [Fact]
    public void The_defaults_of_both_majors_can_be_given()
    {
        foreach (var version in new[] { "4.57.6", "5.23.0" })
        {
            var reader = new ArgumentReader();

            foreach (var (name, versions) in Contract()["fields"]!.AsObject())
            {
                // A null is "not given" in Python and is not said in a file; output_dir has to be.
                if (versions![version]?["default"] is { } value)
                {
                    reader.Take(name, value.DeepClone());
                }
            }

            Assert.Equal("trainer_output", reader.Finish().OutputDir);
        }
    }

    [Fact]
    public void Older_spellings_mean_what_they_meant()
    {
        foreach (var (old, current) in Contract()["older_spellings"]!.AsObject().Where(s => s.Key != "tokenizer"))
        {
            Assert.Equal(current!.GetValue<string>(), ArgumentTable.Find(old)!.Name);
        }
    }

    [Fact]
    public void Every_refusal_is_one_whole_sentence_and_names_the_argument()
    {
        foreach (var refused in ArgumentTable.Refused.Values)
        {
            var sentence = refused.Refuse("something else");

            Assert.StartsWith($"{refused.Name} cannot be \"something else\": ", sentence, StringComparison.Ordinal);
            Assert.EndsWith(". Leave it out.", sentence, StringComparison.Ordinal);
        }
    }

    private static JsonObject Contract()
    {
        var path = Path.Combine(Golden.Root, "..", "contract", "training-arguments.json");
        Assert.SkipUnless(File.Exists(path), "skipped: no training-arguments.json beside the recordings");
        return (JsonObject)PythonJson.Parse(File.ReadAllText(path))!;
    }

    // 500 and 500.0 are one number.
    private static bool Same(string expected, string actual) =>
        expected == actual || (double.TryParse(expected, out var e) && double.TryParse(actual, out var a) && e == a) || (expected == "[]" && actual == "\"none\"");
}
