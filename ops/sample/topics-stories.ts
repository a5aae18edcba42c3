/**
 * Four discussions in which people tell: a weekend, a picture, a tale, idioms.
 */
import type { Topic } from './topics.ts'

const lines = (text: TemplateStringsArray) => text[0]!.trim().split(/\n\s*/)

export const stories: readonly Topic[] = [
	{
		title: 'A weekend that surprised you',
		prompt:
			'Tell us about a weekend that did not go as planned. Use the past simple for what happened and the past continuous for what was going on: “I was waiting for the bus when it started to rain.”\n\nFive sentences are enough. Then ask one classmate a question about her story.',
		groups: [0],
		category: 0,
		lecturers: [0],
		tags: ['past tense', 'speaking', 'week 3'],
		opinions: lines`
			My last weekend was nothing like the plan in my calendar.
			I wanted to sleep until noon, but my cousins had other ideas.
			On Saturday the electricity went out in our whole street.
			We planned to go to the beach, and we ended up in a museum of stamps.
			I was studying for the quiz when my uncle arrived with three goats.
			The best part of the weekend was the part that nobody planned.
			I missed the last bus home on Saturday night.
			It was supposed to be a quiet Sunday.
			My phone fell into the fish pond on Friday evening, so I had a weekend without it.
			We were packing for a picnic when the river came up to the road.`,
		reasons: lines`
			Nobody had told me that the whole family was coming.
			It was raining so hard that we could not see the other side of the street.
			My grandmother was already cooking for twenty people.
			I had read the timetable for weekdays by mistake.
			The road was closed because of a wedding with a very loud band.
			While I was looking for a taxi, I met a friend from primary school.
			My little brother had hidden the keys in the rice cooker.
			Everybody else had understood that we were meeting at ten at night, not in the morning.
			The neighbours were celebrating something and did not stop until dawn.`,
		stories: lines`
			In the end we sat on the floor with candles and told ghost stories.
			I laughed so much that my stomach hurt for two days.
			We walked home for two hours and talked about everything.
			I learned how to make “onde-onde”, and mine looked like small planets.
			My father fell asleep in the car and snored louder than the engine.
			At midnight we were still eating grilled corn by the side of the road.
			The goats ate my grammar notes, honestly.
			I finished a whole book for the first time this year.
			When the lights came back, we were almost disappointed.
			I was the only person who brought an umbrella, so I was suddenly very popular.`,
		questions: lines`
			What were you doing when you heard about it? | I was washing the dishes, and I dropped a plate. | I was sleeping, of course! It was seven in the morning.
			Did you ever find out who had planned all that? | Yes, it was my aunt. It is always my aunt. | No, everybody says that it was somebody else.
			Would you do it again? | Yes, but with better shoes. | Only if somebody else carries the bags.
			How did your parents react? | My mother laughed, my father pretended to be angry. | They had done the same thing when they were young!
			What did the goats do then? | They slept in the garage, next to the motorbike. | They went home with my uncle, thank God.`,
		pendapat: lines`
			Akhir pekan saya juga kacau, tapi justru seru sekali.
			Maaf, saya tulis dulu dalam bahasa Indonesia, nanti saya terjemahkan pelan-pelan.
			Waktu itu hujan deras dan kami terjebak di warung bakso sampai magrib.
			Saya baru sadar salah baca jadwal setelah sampai di terminal.
			Nenek saya bilang, rencana itu punya manusia, cuaca punya Tuhan.
			Ada yang tahu bahasa Inggrisnya “mati lampu”? “Power cut”, kan?
			Ceritanya bikin ketawa, sampai ibu saya tanya kenapa saya ketawa sendiri.`,
		captions: lines`
			This was the view when we finally arrived.
			The sky ten minutes before the rain. I was still feeling brave.
			I was taking this picture when the bus left without me.
			Here is the place. It looks peaceful, but the mosquitoes were waiting.
			My notes for the story, with all my mistakes 😅`,
		pictures: ['landscape', 'landscape', 'note'],
		pictured: 4,
	},
	{
		title: 'Describe a picture you took',
		prompt:
			'Post one picture of your own and describe it for somebody who can’t see it: what is in the foreground, in the background, on the left, on the right. What happened just before? What will happen next?\n\nThen choose a classmate’s picture and write two sentences that are “not” true. We guess which.',
		groups: [1, 3],
		category: 3,
		lecturers: [0, 2],
		tags: ['description', 'prepositions', 'pictures'],
		opinions: lines`
			In the foreground you can see a narrow path between the rice fields.
			In the background there is a mountain with its head in the clouds.
			The light is the most important thing in this picture.
			On the left, just outside of the frame, my sister is complaining about the heat.
			There is nobody in the picture, but you can feel that somebody has just left.
			The sea looks calm, but the wind was terribly strong.
			I took it from the window of a moving train.
			This is the view from the roof of our boarding house.
			The colours are real, I did not use any filter.
			At the bottom there is a line of small boats that are waiting for the tide.`,
		reasons: lines`
			I chose it because it reminds me of my grandfather’s village.
			The sun was going down, so I had about two minutes.
			I like it because there is a lot of empty space.
			It is not perfect, but I remember exactly how the air smelled.
			My hands were shaking because we had climbed for four hours.
			I had wanted to photograph a bird, and the bird did not agree.
			Behind me there were a hundred people with the same idea.
			I was walking to work and for once I was not late.`,
		stories: lines`
			Just before I took it, a dog ran past with somebody’s sandal.
			A minute later it was completely dark.
			Soon the fishermen will come back and the market will wake up.
			Nothing will happen next, and that is the beautiful thing about it.
			My mother has it on her phone now, so I am officially a photographer.
			Next, two children will jump into the water, I am sure.
			When I showed it to my brother, he asked which screen saver it was.
			I went back a year later, and there was a car park.
			We stayed until we heard the call to prayer from the valley.`,
		questions: lines`
			What is behind the trees on the right? | There is a small temple, and a man who sells coconuts. | Nothing, only more trees and a very old bus.
			Which two sentences are not true? I guess the dog! | No, the dog is true! The mountain is the lie. | You are right, there was no dog.
			What time of the day was it? | About half past five in the morning. I still don’t know why I was awake. | Late afternoon, just before the rain.
			Is it “in the picture” or “on the picture”? | “In” the picture for what we see, “on” the wall where it hangs. | In! I always make this mistake, too.
			Did you have to ask for permission? | No, there were no people in it. | Yes, and the farmer gave us sweet potatoes.`,
		pendapat: lines`
			Fotonya bagus sekali, seperti lukisan.
			Saya suka warnanya, hangat dan tenang.
			Ini di mana, ya? Mirip kampung saya di Wonosobo.
			Bahasa Inggrisnya “latar depan” itu “foreground”, betul?
			Saya ambil foto ini pakai HP lama, jadi agak buram.
			Bagian kiri fotonya bikin saya ingat pulang kampung naik kereta.
			Kalau boleh jujur, saya memotret ini sambil gemetar kedinginan.`,
		captions: lines`
			My picture. Please describe it before you read what I wrote below.
			Taken last month, early in the morning.
			This is the view that I tried to describe in class.
			Foreground, background, left, right: everything is there!
			A quiet evening near my village.
			From the train window, somewhere between two tunnels.
			My second try. The first one was only my finger.`,
		pictures: ['landscape'],
		pictured: 14,
	},
	{
		title: 'Reading circle: a folk tale from your island',
		prompt:
			'Retell a folk tale that your family tells. Not longer than a page. Mark the turning point. Then we compare: which tales have a greedy king, which a clever child, which an animal that speaks?\n\nMr. O’Brien starts with an Irish one; Bu Siti reads along with us.',
		groups: [2],
		category: 2,
		lecturers: [1, 2],
		tags: ['reading', 'narrative', 'culture', 'term project'],
		opinions: lines`
			In our tale the hero is the smallest mouse deer in the forest.
			The turning point comes when the son refuses to know his own mother.
			I think the tiger is more interesting than the clever child.
			Almost every tale has a promise that somebody breaks.
			The king in our story is greedy, but he is also lonely.
			My grandmother tells it differently every time.
			The sea is a person in all the tales from our island.
			In the version of our village the golden cucumber saves herself.
			I prefer tales in which nobody is punished at the end.
			The moral is not at the end, it is in the question that the old woman asks.`,
		reasons: lines`
			The listener knows more than the hero, so we are afraid for him.
			Children understand the trick at once, and adults pretend not to.
			The story is short, so every sentence has to work hard.
			It was told at night, when the nets were being repaired.
			The repetition makes it easy to remember, like a song.
			In the written version the funniest part is missing.
			A stone that looks like a ship really stands on the beach.
			Nobody asks the animals for their opinion except in stories.
			The narrator never says what the princess thinks.`,
		stories: lines`
			When I was six, I did not want to swim for a whole summer because of this story.
			My uncle always changes the ending when there are children in the room.
			At the turning point everybody in my family whispers.
			In the Irish tale it is a salmon, in ours it is a crocodile, but both know too much.
			I read it aloud to my roommate, and she told me almost the same tale from Flores.
			The old words made it hard to translate, I needed three evenings.
			There is a wayang version that takes until sunrise.
			I found three versions in the library, and none of them agrees on the name of the mother.`,
		questions: lines`
			Where exactly is the turning point, before or after the storm? | Before: when he looks away, everything is decided. | After, I think, because only then he understands.
			Is the mouse deer clever or only lucky? | Clever! He counts the crocodiles aloud, that is his trick. | Both. Luck likes clever animals.
			How do you translate “kancil”? | “Mouse deer”, although it sounds like two animals. | I kept “kancil” and explained it once.
			Which tense do you use when you retell it? | The past simple, and the present only for the moral. | I switched by mistake in the third paragraph, thank you for seeing it.
			Why does nobody help the mother? | Because the village is also guilty, this is my reading. | In our version a bird helps her, but too late.`,
		pendapat: lines`
			Cerita Malin Kundang versi nenek saya lebih sedih daripada yang di buku.
			Di kampung saya, si Kancil tidak mencuri timun, dia cuma pinjam.
			Menurut saya titik baliknya justru waktu ibunya diam saja.
			Saya masih bingung menerjemahkan “durhaka”, ada saran?
			Dongeng ini biasanya diceritakan sambil menunggu nasi matang.
			Boleh pakai kata daerah kalau dijelaskan di bawahnya? Rasanya lebih hidup.`,
		captions: lines`
			My grandmother wrote it down for us, I only added the translation.
			The place where the story is supposed to have happened.
			First draft by hand. The red marks are from my reading partner.
			Page two of my notes, sorry for the handwriting.`,
		pictures: ['note', 'note', 'landscape'],
		pictured: 4,
	},
	{
		title: 'Ngobrol bebas: idioms we love',
		prompt:
			'One idiom a day. Tell us an idiom from “any” of your languages, what it says word by word, what it means, and when you last heard it. English idioms are welcome, but we want to hear the others first.\n\nBahasa Indonesia boleh di sini. Tidak ada yang salah.',
		groups: [0, 1, 2, 3],
		category: 0,
		lecturers: [2, 0, 1],
		tags: ['idioms', 'vocabulary', 'all classes', 'ngobrol'],
		opinions: lines`
			“Panjang tangan” means “long hand”, and we say it about somebody who steals.
			In Spanish we say that somebody “drowns in a glass of water”.
			My favourite English idiom is “to sleep on it”.
			“Besar kepala”, “big head”, is the same in both languages!
			The Czech say “it is a Spanish village to me” when they don’t understand anything.
			In Polish it is “not my circus, not my monkeys”, and I use it every day at work.
			“Ada udang di balik batu”: there is a shrimp behind the stone, so somebody has a hidden plan.
			I don’t like “break a leg”, it sounds like a threat.
			“Buah tangan”, “fruit of the hand”, is a small present that you bring from a journey.
			In Turkish “may it be easy” is what you say to everybody who is working.`,
		reasons: lines`
			You can see a little film in your head when you hear it.
			Word by word it makes no sense, and this is why I remember it.
			It is polite: you say something hard with a soft picture.
			My grandfather used it instead of a whole lecture.
			Idioms show what people saw every day: fish, rice, horses, rain.
			Younger people understand it, but they would never say it.
			It works in every situation in which you don’t know what to say.
			English has one with the same meaning, but a different animal.`,
		stories: lines`
			I heard it yesterday in the queue for the photocopier.
			I once said it in English, and everybody looked at the floor for a shrimp.
			My boss answered with another idiom, and then we were both lost.
			My flatmate thought that it was about cooking.
			I tried to translate it for my teacher in Japan, and she drew it.
			Last week I used “piece of cake” in an interview, and they offered me cake.
			When my mother says it, everybody suddenly starts to tidy up.
			I put it on a sticky note above my desk.`,
		questions: lines`
			Is there an English idiom with the same meaning? | Maybe “to have sticky fingers”. | Almost: “there is more than meets the eye”.
			Can I say it to my boss? | Better not on the first day. | Yes, if you smile while you say it.
			Who knows an idiom with a cat? | “Curiosity killed the cat.” Poor cat. | “Malu-malu kucing”: shy like a cat, but secretly interested.
			Is it rude? | A little, but between friends it is fine. | No, my grandmother says it.
			What is the difference between an idiom and a proverb? | A proverb is a whole sentence with advice, an idiom is only a part of one. | I think all proverbs are old, idioms can be new.`,
		pendapat: lines`
			Di rumah kami sering bilang “nasi sudah menjadi bubur”. “The rice has become porridge”: it can’t be undone.
			Kalau di Jawa, “alon-alon waton kelakon”. “Slow but sure”, kira-kira.
			Yang ini lucu: “kambing hitam” sama persis dengan “scapegoat”, cuma beda warna.
			Saya baru tahu kalau “cuci mata” tidak bisa diterjemahkan langsung, hehe.
			“Gulung tikar” artinya bangkrut, padahal bunyinya seperti mau piknik.
			“Air susu dibalas air tuba”, sedih, ya, tapi indah.
			“Tong kosong nyaring bunyinya”, cocok untuk rapat di kantor saya.
			Orang Bugis punya pepatah soal layar: sekali berkembang, pantang surut.`,
		captions: lines`
			I collected twelve of them on one page.
			A chart of which idioms we use at work (I asked twenty colleagues).
			This is what “bamboo curtain” looks like where I live. No, wait, that is another idiom.
			For “after rain comes sunshine”, here is the proof.`,
		pictures: ['note', 'chart', 'landscape'],
		pictured: 2,
	},
]
