using Vizsla.Models;

namespace Vizsla.Tests.Models;

public sealed class ModelConfigurationTests
{
    [Fact]
    public void Ids_are_read_from_texts_and_written_in_order_of_their_numbers()
    {
        var configuration = ModelConfiguration.Parse("""
            {"model_type":"vit","id2label":{"10":"k","2":"c","0":"a","1":"b","3":"d","4":"e","5":"f","6":"g","7":"h","8":"i","9":"j"},"label2id":{"a":"0"}}
            """);

        Assert.Equal(["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"], configuration.Id2Label);
        var text = configuration.ToJson();
        Assert.True(text.IndexOf("\"9\": \"j\"", StringComparison.Ordinal) < text.IndexOf("\"10\": \"k\"", StringComparison.Ordinal));
        Assert.Contains("\"a\": \"0\"", text, StringComparison.Ordinal);
        Assert.EndsWith("}\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void New_labels_are_written_as_transformers_writes_them()
    {
        var configuration = ModelConfiguration.Parse("""{"model_type":"vit","layer_norm_eps":1e-12,"custom":{"b":1,"a":2.0}}""");

        configuration.SetLabels(["zebra", "hund 犬", "\U0001F436"]);

        Assert.Equal(
            """
            {
              "custom": {
                "a": 2.0,
                "b": 1
              },
              "id2label": {
                "0": "zebra",
                "1": "hund \u72ac",
                "2": "\ud83d\udc36"
              },
              "label2id": {
                "hund \u72ac": 1,
                "zebra": 0,
                "\ud83d\udc36": 2
              },
              "layer_norm_eps": 1e-12,
              "model_type": "vit"
            }

            """.ReplaceLineEndings("\n"),
            configuration.ToJson());
    }

    [Fact]
    public void The_default_pair_of_labels_is_left_out_and_reconstructed()
    {
        var configuration = ModelConfiguration.Parse("""{"model_type":"vit"}""");

        configuration.SetLabels(["LABEL_0", "LABEL_1"]);

        Assert.DoesNotContain("id2label", configuration.ToJson(), StringComparison.Ordinal);
        Assert.Equal(["LABEL_0", "LABEL_1"], ModelConfiguration.Parse(configuration.ToJson()).Id2Label);
        Assert.False(ModelConfiguration.Parse(configuration.ToJson()).HasLabelNames);
    }

    [Fact]
    public void Labels_of_timm_are_names_else_numbers()
    {
        var named = ModelConfiguration.Parse("""{"architecture":"resnet18","num_classes":2,"label_names":["cat","dog"]}""");
        var numbered = ModelConfiguration.Parse("""{"architecture":"resnet18","num_classes":3}""");

        Assert.Equal(["cat", "dog"], named.Id2Label);
        Assert.Equal(["0", "1", "2"], numbered.Id2Label);
        Assert.True(named.HasLabelNames);
        Assert.False(numbered.HasLabelNames);
    }

    [Fact]
    public void A_new_number_of_classes_reaches_every_place_where_timm_looks()
    {
        var configuration = ModelConfiguration.Parse(
            """{"architecture":"resnet18","num_classes":1000,"model_args":{"num_classes":1000},"pretrained_cfg":{"num_classes":1000}}""");

        configuration.SetLabels(["cat", "dog"]);

        Assert.Equal(
            """{"architecture": "resnet18", "num_classes": 2, "model_args": {}, "pretrained_cfg": {"num_classes": 2}, "label_names": ["cat", "dog"]}""",
            Vizsla.Primitives.PythonJson.Serialize(configuration.Json, indent: null, sortKeys: false));
    }

    [Theory]
    [InlineData("""{"architecture":"resnet18","num_classes":3,"label_names":["cat","dog"]}""", "'c': num_classes is 3, but label_names has 2 names.")]
    [InlineData("""{"id2label":{"0":"a","2":"b"}}""", "'c': id2label has 2 labels and the key \"2\", expected the keys 0 to 1.")]
    [InlineData("""{"problem_type":"multi_label"}""", "'c': unknown problem_type 'multi_label'. Known: regression, single_label_classification, multi_label_classification.")]
    [InlineData("[]", "'c' is JSON but not an object.")]
    public void A_configuration_that_contradicts_itself_is_refused(string json, string message)
    {
        var error = Assert.Throws<ModelLoadException>(() => ModelConfiguration.Parse(json, "c"));

        Assert.Equal(message, error.Message);
    }

    [Fact]
    public void A_value_of_the_wrong_kind_is_named_when_it_is_read()
    {
        var configuration = ModelConfiguration.Parse("""{"hidden_size":"wide","qkv_bias":1,"depths":[1,2.5],"image_size":[1,2,3]}""", "c");

        string Message(Action read) => Assert.Throws<ModelLoadException>(read).Message;

        Assert.Equal("'c': \"hidden_size\" is \"wide\", expected a whole number.", Message(() => configuration.WholeNumber("hidden_size", 1)));
        Assert.Equal("'c': \"qkv_bias\" is 1, expected true or false.", Message(() => configuration.Flag("qkv_bias", true)));
        Assert.Equal("'c': \"depths\" is [1, 2.5], expected a whole number.", Message(() => configuration.WholeNumbers("depths")));
        Assert.Equal("'c': \"image_size\" is [1, 2, 3], expected one number, or height and width.", Message(() => configuration.Size("image_size", 1)));
        Assert.Equal("'c': \"model_type\" is null, expected the name of an architecture, such as \"vit\".", Message(() => _ = configuration.ModelType));
    }
}
