using Vizsla.Benchmarks;
using Vizsla.Native;

// As the program itself does.
if (args is not ["burn" or "onnx-memory" or "scale-work", ..])
{
    MemoryReuse.Restart();
}

// A benchmark is a name, a sentence and a method; ratios are taken within one run, because machines differ.
(string Name, string What, Action<string[]> Run)[] benchmarks =
[
    ("decode", "JPEG photos to RGB on one core, beside Skia's decoder", PictureBenchmarks.Decode),
    ("resize", "photos to 224x224 with each filter on one core", PictureBenchmarks.Resize),
    ("fast", "decoding at a smaller scale (fast_decode) beside the exact way: speed and difference", FastDecodeBenchmarks.Run),
    ("steps", "each step on photos of 224x224 on one core", PictureBenchmarks.Steps),
    ("pipeline", "photos to batches through the augmenting pipeline: one core, all cores, bytes allocated", PictureBenchmarks.Pipeline),
    ("rows", "memory of Parquet datasets of many small pictures: written, read, read again out of order; arguments: edge of the pictures, numbers of rows", RowBenchmarks.Measure),
    ("train", "steps of the trainer beside the limit of the machine's matrix products; arguments: model, batch, steps, fp32|bf16|auto, augmented, checkpointing", TrainingBenchmarks.Train),
    ("head", "heads solved on features of oxford-pets (ten splits of ../shared/golden/transfer): what is chosen, accuracy, seconds; arguments: model folder, folder for the features", HeadBenchmarks.Solve),
    ("scale", "training in two processes of one thread beside one of two: images, bytes and time of the exchange, the share that the backward pass hides; arguments: steps, networks such as vit-base:bf16", ScaleBenchmarks.Compare),
    ("scale-work", "one process of 'scale': folder, network, pictures, steps", ScaleBenchmarks.Work),
    ("cnn", "training and prediction of networks, as a share of their convolutions alone and as a multiple of a naive loop; arguments: names of networks", CnnBenchmarks.Networks),
    ("predict", "photos named in batches, read ahead, beside one after another; arguments: model, photos", CnnBenchmarks.Predict),
    ("onnx", "exported files, fp32 and int8, in Vizsla.Onnx beside the network on libtorch, fp32 and bf16: batches of 1 and 32, and files to names by one client and by 16; arguments: model folders or names", OnnxBenchmarks.Compare),
    ("onnx-memory", "memory while 8 threads ask one exported model; arguments: its folder, calls", OnnxBenchmarks.Memory),
    ("serve", "64 clients of 'vizsla serve' beside 'vizsla predict' on the same photos; arguments: seconds, model, photos", ServeBenchmarks.Serve),
    ("busy", "predict, serve and training on a machine that is idle, has one busy core, or twenty busy processes, beside libgomp's own waiting and beside one thread; arguments: seconds, rounds, 0|1|20, names of works", BusyBenchmarks.Compare),
    ("busy-work", "one measurement of 'busy': name of the work, seconds", BusyBenchmarks.Work),
    ("burn", "a busy process of 'busy', until its input ends", BusyBenchmarks.Burn),
    ("hub", "64 downloads of 100 MB at once from 'vizsla hub serve' beside a plain file server, and the memory of both", HubBenchmarks.Load),
    ("slider", "a slider of the studio to the picture on the screen, in Chromium, for a photo of 1,000 pixels; arguments: names of transforms", SliderBenchmarks.Slide),
    ("studio", "each page of the studio until it shows what it is opened for, in Chromium, and the memory of the server; arguments: numbers of runs and of photos", StudioBenchmarks.Open),
];

if (args.Length == 0 || benchmarks.FirstOrDefault(b => b.Name == args[0]) is not { Run: { } run })
{
    Console.Error.WriteLine("Usage: dotnet run --project bench/Vizsla.Benchmarks -c Release -- NAME [options]\n");
    foreach (var (name, what, _) in benchmarks)
    {
        Console.Error.WriteLine($"  {name,-10} {what}");
    }

    return 2;
}

run(args[1..]);
return 0;
